// Verdicts that stand in the zone for texts they do not fit, and digests of nothing: what cannot be
// looked at closely is refused, and what is not there is not looked for.
#include <gtest/gtest.h>

#include "tests/policy/recall_support.h"

namespace gate::policy {
namespace {

using cache::RevocationDigest;
using cache::RevocationKind;

constexpr std::uint32_t kClock = static_cast<std::uint32_t>(kNow);
const std::string kToken = R"({"iss":"https://idp","sub":"u","azp":"c","scope":"a b","jti":"j",)"
                           R"("iat":1699999000,"exp":1700001000})";

// Puts the verdict of `token`, which bears `high` in place of its jti's digest, where `text` is
// looked for.
void put_verdict(RecallBench& bench, const Parsed& token, const std::string& text,
                 std::uint64_t high) {
    const auto found = bench.find(token);
    ASSERT_TRUE(found && *found);
    Verdict verdict = unpack((*found)->words);
    verdict.revocations = {high, 0, 0, 0};
    const auto writer = bench.zone->try_write();
    ASSERT_TRUE(writer);
    bench.zone->verdicts.insert(bench.fingerprint_of(text), kClock, kClock + 60, pack(verdict));
}

std::optional<Reason> recall_text(RecallBench& bench, const std::string& text) {
    const TrustedIssuer* const issuers[] = {&bench.trusted};
    Recalled found;
    return bench.recall_text(text, issuers, found);
}

TEST(DoubtfulVerdict, IsRefusedWhereItsTextCannotBeRead) {
    const auto part = [](const char* text) {
        return base64url_encode(bytes_of(std::string_view(text)));
    };
    for (const std::string& payload :
         {std::string("!!!!"), part("{\"sub\":"), part(R"({"iss":"https://idp","exp":"soon"})")}) {
        RecallBench bench;
        const Parsed token(kToken);
        bench.keep(token);
        const std::string text = part("{}") + "." + payload + ".c2ln";
        put_verdict(bench, token, text, 7);
        EXPECT_EQ(recall_text(bench, text), Reason::kNone) << "nothing has been revoked";
        bench.zone->revocations.put({RevocationDigest{8, 1}}, kClock);
        EXPECT_EQ(recall_text(bench, text), Reason::kNone) << "something else has";
        bench.zone->revocations.put({RevocationDigest{7, 1}}, kClock);
        EXPECT_EQ(recall_text(bench, text), Reason::kRevoked) << text;
    }
}

TEST(DoubtfulVerdict, IsLookedAtForEachDigestThatThereCanBe) {
    for (const std::uint64_t high : {std::uint64_t{1}, std::uint64_t{2}, ~std::uint64_t{0}}) {
        RecallBench bench;
        const Parsed token(kToken);
        bench.keep(token);
        put_verdict(bench, token, "no token", high);
        bench.zone->revocations.put({RevocationDigest{high, 1}}, kClock);
        EXPECT_EQ(recall_text(bench, "no token"), Reason::kRevoked) << high;
    }
}

// No revocation has such a digest; a token that names no session has.
TEST(RevocationOfNothing, KillsNobody) {
    RecallBench bench;
    const Parsed token(kToken);
    bench.keep(token);
    bench.zone->revocations.put({RevocationDigest{}}, kClock);
    const int writes = bench.zone.writes;
    EXPECT_EQ(bench.look(token), "hit");
    EXPECT_EQ(bench.zone.writes, writes + 1) << "no closer look was needed";
    EXPECT_EQ(bench.keep(token), "");
    EXPECT_EQ(bench.look(token), "hit");
}

TEST(RevocationOfNothing, IsNotOfThoseWhoNameNobody) {
    RecallBench bench;
    const Parsed token(R"({"iss":"https://idp","exp":1700001000})");
    bench.keep(token);
    for (const RevocationKind kind :
         {RevocationKind::kJti, RevocationKind::kToken, RevocationKind::kSubject,
          RevocationKind::kSession, RevocationKind::kClient}) {
        bench.revoke(kind, "https://idp", "");
    }
    EXPECT_EQ(bench.look(token), "hit");
    EXPECT_EQ(bench.keep(token), "");
}

TEST(Remember, KeepsVerdictsOfEveryEpochButNone) {
    RecallBench bench;
    const Parsed token(kToken);
    bench.trusted.epoch = 0;
    EXPECT_EQ(bench.keep(token), "");
    EXPECT_EQ(bench.zone->verdicts.occupied(), 0U);
    bench.trusted.epoch = 1;
    EXPECT_EQ(bench.keep(token), "");
    EXPECT_EQ(bench.look(token), "hit");
}

TEST(Remember, NotesThatItHasLooked) {
    RecallBench bench;
    bench.revoke(RevocationKind::kJti, "https://idp", "another");
    const Parsed token(kToken);
    EXPECT_EQ(bench.keep(token), "");
    const int writes = bench.zone.writes;
    EXPECT_EQ(bench.look(token), "hit");
    EXPECT_EQ(bench.zone.writes, writes) << "no need to look again";
}

TEST(Remember, NotesWhoTheTokenIs) {
    RecallBench bench;
    const Parsed token(kToken);
    EXPECT_EQ(bench.keep(token), "");
    const auto found = bench.find(token);
    ASSERT_TRUE(found && *found);
    EXPECT_FALSE(unpack((*found)->words).needs_payload);
    const auto principal = principal_of(**found, std::pmr::get_default_resource());
    EXPECT_EQ(principal->subject, "u");
    EXPECT_EQ(principal->client, "c");
    ASSERT_EQ(principal->scopes.size(), 2U);
    EXPECT_EQ(principal->scopes[0], "a");
    EXPECT_EQ(principal->scopes[1], "b");
}

TEST(TrustedBy, NamesTheIssuerFromTheFirstSecondToTheLast) {
    RecallBench bench;
    Verdict verdict;
    verdict.epoch = bench.trusted.epoch;
    verdict.valid_from = 100;
    verdict.valid_until = 200;
    const TrustedIssuer* const issuers[] = {&bench.trusted};
    const auto at = [&](std::uint32_t now) { return trusted_by(pack(verdict), issuers, now); };
    EXPECT_EQ(at(99), nullptr);
    EXPECT_EQ(at(100), &bench.trusted);
    EXPECT_EQ(at(199), &bench.trusted);
    EXPECT_EQ(at(200), nullptr);
    bench.trusted.epoch = verdict.epoch = 0;
    EXPECT_EQ(at(150), nullptr) << "no epoch, no verdicts";
}

}  // namespace
}  // namespace gate::policy
