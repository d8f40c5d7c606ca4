#include "policy/recall.h"

#include <gtest/gtest.h>

#include "tests/policy/recall_support.h"

namespace gate::policy {
namespace {

using cache::kEveryInstant;
using cache::kNeverForgotten;
using cache::RevocationKind;

const char* const kFull =
    R"({"iss":"https://idp","sub":"u","sid":"s","azp":"c","jti":"j","iat":1699999000,)"
    R"("exp":1700001000})";

std::string with_claims(const std::string& claims) {
    return R"({"iss":"https://idp",)" + claims + "}";
}

TEST(Recall, KnowsATokenThatWasRemembered) {
    RecallBench bench;
    const Parsed token(kFull);
    EXPECT_EQ(bench.look(token), "miss");
    EXPECT_EQ(bench.keep(token), "");
    const auto found = bench.find(token);
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->issuer, &bench.issuer);
    EXPECT_EQ((*found)->token, token.text);
    EXPECT_EQ(unpack((*found)->words).issued, 1699999000U);
    EXPECT_EQ(unpack((*found)->words).expires, 1700001000U);
}

TEST(Recall, DoesNotKnowAnyOtherToken) {
    RecallBench bench;
    const Parsed token(kFull);
    bench.keep(token);
    // One more octet, one changed, one less: each is another text.
    for (std::size_t at = 0; at < token.text.size(); at += 7) {
        std::string other = token.text;
        other[at] = other[at] == 'A' ? 'B' : 'A';
        const TrustedIssuer* const issuers[] = {&bench.trusted};
        Recalled found;
        EXPECT_FALSE(bench.recall_text(other, issuers, found));
    }
    for (const std::string& other :
         {token.text + "A", token.text.substr(1), token.text.substr(0, token.text.size() - 1)}) {
        EXPECT_NE(bench.fingerprint_of(other), bench.fingerprint_of(token.text));
    }
}

TEST(Recall, IsOnlyForIssuersThatTheLocationAccepts) {
    RecallBench bench;
    const Parsed token(kFull);
    bench.keep(token);
    jose::Issuer other = test_issuer();
    other.name = "other";
    const TrustedIssuer stranger{&other, secret_keys(), nullptr, epoch_of(other, "first keys")};
    const auto known_to = [&](std::vector<const TrustedIssuer*> issuers) {
        Recalled found;
        return bench.recall_text(token.text, issuers, found).has_value();
    };
    EXPECT_FALSE(known_to({}));
    EXPECT_FALSE(known_to({&stranger}));
    EXPECT_TRUE(known_to({&stranger, &bench.trusted}));
    EXPECT_TRUE(known_to({&bench.trusted, &stranger}));
}

TEST(Recall, GivesTheIssuerThatVerified) {
    RecallBench bench;
    const Parsed token(kFull);
    bench.keep(token);
    // The same rules and keys in another place: the place counts, the numbers of it do not.
    const TrustedIssuer first{&bench.issuer, secret_keys(), nullptr, bench.trusted.epoch + 1};
    const TrustedIssuer* const issuers[] = {&first, &bench.trusted};
    auto roles = RoleMap::parse("r x;\n");
    ASSERT_TRUE(roles);
    bench.trusted.roles = std::make_shared<const RoleMap>(*std::move(roles));
    Recalled found;
    EXPECT_EQ(bench.recall_text(token.text, issuers, found), Reason::kNone);
    EXPECT_EQ(found.roles, bench.trusted.roles) << "roles are those of now";
}

TEST(Recall, ForgetsWithAnyChangeOfItsIssuer) {
    RecallBench bench;
    const Parsed token(kFull);
    bench.keep(token);
    bench.renew("other keys");
    EXPECT_EQ(bench.look(token), "miss");
    bench.renew("first keys");
    EXPECT_EQ(bench.look(token), "hit");
    bench.issuer.leeway_exp = 1;
    bench.renew("first keys");
    EXPECT_EQ(bench.look(token), "miss");
}

TEST(Recall, NeedsKeysThatAreLoadedNow) {
    RecallBench bench;
    const Parsed token(kFull);
    bench.keep(token);
    bench.trusted.keys = nullptr;
    EXPECT_EQ(bench.look(token), "miss");
    bench.renew("first keys");
    const std::uint64_t epoch = std::exchange(bench.trusted.epoch, 0);
    EXPECT_EQ(bench.look(token), "miss");
    // What has no epoch is verified, but not kept.
    const Parsed other(with_claims(R"("exp":1700000500,"sub":"v")"));
    EXPECT_EQ(bench.keep(other), "");
    EXPECT_EQ(bench.look(other), "miss");
    bench.trusted.epoch = epoch;
    EXPECT_EQ(bench.look(other), "miss");
    EXPECT_EQ(bench.look(token), "hit");
}

// Each second around each boundary: a hit says what verification says.
void expect_times_as_verified(const std::string& claims, Seconds seen_at, Seconds from, Seconds to,
                              Seconds leeway) {
    jose::Issuer issuer = test_issuer();
    issuer.require_exp = false;
    issuer.leeway_exp = issuer.leeway_nbf = issuer.leeway_iat = leeway;
    RecallBench bench(issuer);
    const Parsed token(with_claims(claims));
    ASSERT_EQ(bench.keep(token, seen_at), "") << claims;
    for (Seconds now = from; now <= to; ++now) {
        const bool good = bench.verify(token, now).empty();
        EXPECT_EQ(bench.look(token, now), good ? "hit" : "miss")
            << claims << " leeway " << leeway << " at " << now - kNow;
    }
}

TEST(Recall, JudgesInstantsAsVerificationDoesAtEachSecond) {
    for (const Seconds leeway : {0, 1, 10, 300}) {
        for (const std::string fraction : {"", ".0", ".001", ".5", ".999", ".9999999"}) {
            const std::string instant = "1700000400" + fraction;
            expect_times_as_verified("\"exp\":" + instant, kNow, kNow + 395, kNow + 705, leeway);
            for (const char* name : {"nbf", "iat"}) {
                expect_times_as_verified("\"" + std::string(name) + "\":" + instant, kNow + 500,
                                         kNow + 95, kNow + 405, leeway);
            }
        }
    }
    expect_times_as_verified(R"("iat":1700000100,"nbf":1700000200.5,"exp":1700000300.5)",
                             kNow + 250, kNow + 90, kNow + 305, 0);
    expect_times_as_verified(R"("iat":1700000200,"nbf":1700000100,"exp":17e8,"exp2":1)", kNow - 1,
                             kNow - 5, kNow + 305, 300);
    expect_times_as_verified(R"("sub":"forever")", kNow, kNow - 5, kNow + 5, 0);
}

TEST(Recall, JudgesInstantsBeyond32Bits) {
    RecallBench bench;
    const Seconds end = 0xffffffff;
    const Parsed token(with_claims(R"("exp":9007199254740992,"sub":"u")"));
    EXPECT_EQ(bench.keep(token), "");
    EXPECT_EQ(bench.look(token), "hit");
    EXPECT_EQ(bench.look(token, end - 1), "hit");
    EXPECT_EQ(bench.look(token, end), "miss") << "32 bits end: verification has to say";
    EXPECT_EQ(bench.verify(token, end), "");
    const auto found = bench.find(token);
    ASSERT_TRUE(found && *found);
    const auto principal = principal_of(**found, std::pmr::get_default_resource());
    EXPECT_EQ(principal->expires, 9007199254740992);
    EXPECT_EQ(principal->subject, "u");
    EXPECT_EQ(bench.look(token, -5), "hit") << "a clock before 1970 is 1970";
}

TEST(Recall, OutlivesAClockThatJumps) {
    RecallBench bench;
    const Parsed token(with_claims(R"("nbf":1700000000,"exp":1700000600)"));
    bench.keep(token);
    for (const Seconds jump : {3600, -3600, 315360000, -315360000}) {
        const Seconds now = kNow + jump;
        EXPECT_EQ(bench.look(token, now), "miss") << jump;
        EXPECT_NE(bench.verify(token, now), "") << jump;
    }
    EXPECT_EQ(bench.look(token, kNow + 300), "hit") << "back again";
}

TEST(Remember, KeepsNothingWhileSomebodyHoldsTheLock) {
    RecallBench bench;
    const Parsed token(kFull);
    bench.zone.taken = true;
    EXPECT_EQ(bench.keep(token), "");
    EXPECT_EQ(bench.look(token), "miss");
    bench.zone.taken = false;
    EXPECT_EQ(bench.zone->verdicts.occupied(), 0U);
    EXPECT_EQ(bench.keep(token), "");
    bench.zone.taken = true;
    EXPECT_EQ(bench.look(token), "hit") << "readers take no lock";
}

TEST(Remember, KeepsNoTokenThatIsBad) {
    RecallBench bench;
    EXPECT_EQ(bench.keep(Parsed(with_claims(R"("exp":1699999999)"))), "exp_past");
    EXPECT_EQ(bench.keep(Parsed(R"({"iss":"https://other","exp":1700000600})")), "iss_mismatch");
    EXPECT_EQ(bench.zone->verdicts.occupied(), 0U);
}

TEST(Recall, LooksAtRevocationsOnlyAfterAChange) {
    RecallBench bench;
    const Parsed token(kFull);
    bench.keep(token);
    const int writes = bench.zone.writes;
    EXPECT_EQ(bench.look(token), "hit");
    EXPECT_EQ(bench.zone.writes, writes);
    bench.revoke(RevocationKind::kJti, "https://idp", "another");
    EXPECT_EQ(bench.look(token), "hit");
    EXPECT_EQ(bench.zone.writes, writes + 1) << "it notes that it has looked";
    EXPECT_EQ(bench.look(token), "hit");
    EXPECT_EQ(bench.zone.writes, writes + 1) << "and does not look again";
    bench.revoke(RevocationKind::kJti, "https://idp", "one more");
    bench.zone.taken = true;
    EXPECT_EQ(bench.look(token), "hit") << "without the lock it looks each time";
    bench.zone.taken = false;
    EXPECT_EQ(bench.look(token), "hit");
    EXPECT_EQ(bench.zone.writes, writes + 2);
}

// ---- API keys

apikey::Record key_record(const std::string& id, const std::string& owner, Seconds created = 0) {
    apikey::Record record;
    record.id = id;
    record.owner = owner;
    record.created = created;
    return record;
}

std::string judge(RecallBench& bench, const apikey::Record& record, Seconds now = kNow) {
    const auto alive = check_revocation(*bench.zone, record, "partner", now);
    return std::string(alive ? "" : code(alive.error()));
}

TEST(CheckRevocation, KillsAKeyByIdOwnerStoreAndAll) {
    const std::pair<RevocationKind, std::pair<const char*, const char*>> deadly[] = {
        {RevocationKind::kKey, {"partner", "k1"}},
        {RevocationKind::kSubject, {"partner", "bob"}},
        {RevocationKind::kAll, {"partner", ""}},
        {RevocationKind::kAll, {"*", ""}}};
    for (const auto& [kind, named] : deadly) {
        RecallBench bench;
        const apikey::Record record = key_record("k1", "bob");
        EXPECT_EQ(judge(bench, record), "");
        bench.revoke(kind, named.first, named.second);
        EXPECT_EQ(judge(bench, record), "revoked") << named.first << " " << named.second;
    }
}

TEST(CheckRevocation, SparesOtherKeysAndOtherStores) {
    RecallBench bench;
    bench.revoke(RevocationKind::kKey, "partner", "k2");
    bench.revoke(RevocationKind::kKey, "other", "k1");
    bench.revoke(RevocationKind::kSubject, "partner", "");
    bench.revoke(RevocationKind::kJti, "partner", "k1");
    bench.revoke(RevocationKind::kAll, "other", "");
    EXPECT_EQ(judge(bench, key_record("k1", "bob")), "");
    EXPECT_EQ(judge(bench, key_record("k1", "")), "");
    EXPECT_EQ(judge(bench, key_record("k2", "bob")), "revoked");
}

TEST(CheckRevocation, SeesARevocationAfterItHasLooked) {
    RecallBench bench;
    const apikey::Record record = key_record("k1", "bob");
    bench.revoke(RevocationKind::kKey, "partner", "k9");
    EXPECT_EQ(judge(bench, record), "");
    EXPECT_EQ(record.clean_at, bench.zone->revocations.changes());
    bench.revoke(RevocationKind::kKey, "partner", "k1");
    EXPECT_EQ(judge(bench, record), "revoked");
    EXPECT_EQ(judge(bench, record), "revoked") << "a refusal is not noted as a pass";
}

TEST(CheckRevocation, ComparesTheInstantOfCreation) {
    RecallBench bench;
    bench.revoke(RevocationKind::kAll, "*", "", 1000, kNeverForgotten);
    EXPECT_EQ(judge(bench, key_record("a", "", 999)), "revoked");
    EXPECT_EQ(judge(bench, key_record("b", "", 1000)), "revoked");
    EXPECT_EQ(judge(bench, key_record("c", "", 1001)), "");
    EXPECT_EQ(judge(bench, key_record("d", "", 0)), "revoked") << "unknown is ever so long ago";
}

}  // namespace
}  // namespace gate::policy
