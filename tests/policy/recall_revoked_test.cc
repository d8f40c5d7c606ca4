// Revocations of each kind against tokens that a zone remembers, and tokens that it sees first.
#include <gtest/gtest.h>

#include "policy/engine.h"
#include "tests/policy/recall_support.h"

namespace gate::policy {
namespace {

using cache::kEveryInstant;
using cache::kNeverForgotten;
using cache::RevocationKind;

const std::string kIss = "https://idp";
const std::string kToken =
    R"({"iss":"https://idp","sub":"u","sid":"s","azp":"c","jti":"j","iat":1699999000,)"
    R"("exp":1700001000})";

struct Named {
    RevocationKind kind;
    std::string issuer;
    std::string value;
};

// The digest by which a token without jti is revoked.
std::string input_digest(const std::string& text) {
    return to_hex(crypto::sha256(bytes_of(std::string_view(text).substr(0, text.rfind('.')))));
}

// What a token that is remembered (hit) and one that is not (miss) get: "hit" or the reason, and ""
// or the reason.
std::pair<std::string, std::string> after(const std::string& payload,
                                          const std::vector<Named>& revoked,
                                          std::uint32_t issued_until = kEveryInstant,
                                          std::uint32_t expires = kNeverForgotten,
                                          Seconds now = kNow) {
    RecallBench bench;
    const Parsed token(payload);
    EXPECT_EQ(bench.keep(token), "");
    for (const Named& one : revoked) {
        bench.revoke(one.kind, one.issuer, one.value, issued_until, expires);
    }
    const std::string hit = bench.look(token, now);
    EXPECT_EQ(bench.look(token, now), hit) << "a second look says the same";
    const std::string miss = bench.keep(token, now);
    EXPECT_EQ(bench.look(token, now), hit) << "seen again while revoked";
    return {hit, miss};
}

const std::pair<std::string, std::string> kAlive{"hit", ""};
const std::pair<std::string, std::string> kDead{"revoked", "revoked"};

TEST(RevokedToken, IsDeadByEachOfItsNames) {
    EXPECT_EQ(after(kToken, {}), kAlive);
    EXPECT_EQ(after(kToken, {{RevocationKind::kJti, kIss, "j"}}), kDead);
    EXPECT_EQ(after(kToken, {{RevocationKind::kSubject, kIss, "u"}}), kDead);
    EXPECT_EQ(after(kToken, {{RevocationKind::kSession, kIss, "s"}}), kDead);
    EXPECT_EQ(after(kToken, {{RevocationKind::kClient, kIss, "c"}}), kDead);
    EXPECT_EQ(after(kToken, {{RevocationKind::kAll, kIss, ""}}), kDead);
    EXPECT_EQ(after(kToken, {{RevocationKind::kAll, "*", ""}}), kDead);
}

TEST(RevokedToken, IsNotKilledByWhatNamesAnother) {
    for (const Named& other :
         std::vector<Named>{{RevocationKind::kJti, kIss, "j2"},
                            {RevocationKind::kJti, "https://other", "j"},
                            {RevocationKind::kJti, "", "j"},
                            {RevocationKind::kJti, kIss, "u"},
                            {RevocationKind::kSubject, kIss, "j"},
                            {RevocationKind::kSubject, kIss, ""},
                            {RevocationKind::kSession, kIss, "u"},
                            {RevocationKind::kClient, kIss, "C"},
                            {RevocationKind::kKey, kIss, "j"},
                            {RevocationKind::kToken, kIss, input_digest(compact(kToken))},
                            {RevocationKind::kAll, "https://other", ""},
                            {RevocationKind::kAll, "", ""}}) {
        EXPECT_EQ(after(kToken, {other}), kAlive) << other.issuer << " " << other.value;
    }
}

TEST(RevokedToken, WithoutJtiGoesByItsSigningInput) {
    for (const char* jti : {"", R"(,"jti":"")"}) {
        const std::string payload =
            R"({"iss":"https://idp","exp":1700001000)" + std::string(jti) + "}";
        EXPECT_EQ(after(payload, {{RevocationKind::kToken, kIss, input_digest(compact(payload))}}),
                  kDead);
        EXPECT_EQ(after(payload, {{RevocationKind::kJti, kIss, ""}}), kAlive);
    }
}

TEST(RevokedToken, OfAnIntegerSubjectOrSessionGoesByItsDecimalForm) {
    const std::string payload = R"({"iss":"https://idp","exp":1700001000,"sub":42,"sid":-7})";
    EXPECT_EQ(after(payload, {{RevocationKind::kSubject, kIss, "42"}}), kDead);
    EXPECT_EQ(after(payload, {{RevocationKind::kSession, kIss, "-7"}}), kDead);
    EXPECT_EQ(after(payload, {{RevocationKind::kSubject, kIss, "042"}}), kAlive);
}

TEST(RevokedToken, WithEscapesGoesByWhatTheyStandFor) {
    const std::string payload =
        R"({"iss":"https:\/\/idp","exp":1700001000,"sub":"\u0075\u00e9","jti":"a\"b"})";
    EXPECT_EQ(after(payload, {{RevocationKind::kSubject, kIss, "ué"}}), kDead);
    EXPECT_EQ(after(payload, {{RevocationKind::kJti, kIss, "a\"b"}}), kDead);
}

TEST(RevokedToken, IsDeadForWhatWasIssuedAtThatSecondOrBefore) {
    const std::vector<Named> everyone{{RevocationKind::kAll, "*", ""}};
    EXPECT_EQ(after(kToken, everyone, 1699998999), kAlive);
    EXPECT_EQ(after(kToken, everyone, 1699999000), kDead);
    EXPECT_EQ(after(kToken, everyone, 1699999001), kDead);
    const std::string undated = R"({"iss":"https://idp","exp":1700001000})";
    EXPECT_EQ(after(undated, everyone, 1), kDead) << "no iat: ever so long ago";
    const std::string fractional = R"({"iss":"https://idp","exp":1700001000,"iat":1699999000.9})";
    EXPECT_EQ(after(fractional, everyone, 1699999000), kDead);
}

TEST(RevokedToken, LivesAgainOnceTheRevocationMayBeForgotten) {
    const std::vector<Named> one{{RevocationKind::kJti, kIss, "j"}};
    const std::uint32_t end = static_cast<std::uint32_t>(kNow) + 60;
    EXPECT_EQ(after(kToken, one, kEveryInstant, end, kNow + 59), kDead);
    EXPECT_EQ(after(kToken, one, kEveryInstant, end, kNow + 60), kAlive);
}

TEST(RevokedToken, IsDeadForAnIssuerWhoseTokensNameNone) {
    jose::Issuer issuer = test_issuer(std::nullopt);
    RecallBench bench(issuer);
    const Parsed token(R"({"exp":1700001000,"jti":"j"})");
    EXPECT_EQ(bench.keep(token), "");
    EXPECT_EQ(bench.look(token), "hit");
    bench.revoke(RevocationKind::kJti, "", "j");
    EXPECT_EQ(bench.look(token), "revoked");
}

TEST(RevokedToken, IsDeadWhileSomebodyHoldsTheLock) {
    RecallBench bench;
    const Parsed token(kToken);
    bench.keep(token);
    bench.revoke(RevocationKind::kJti, kIss, "j");
    bench.zone.taken = true;
    EXPECT_EQ(bench.look(token), "revoked");
    EXPECT_EQ(bench.keep(token), "revoked");
}

TEST(RevokedToken, IsToldFromOneWithHalfOfItsDigest) {
    RecallBench bench;
    const Parsed token(kToken);
    bench.keep(token);
    auto digest = cache::digest_revocation(bench.zone->seed(), RevocationKind::kJti, kIss, "j");
    digest.low ^= 1;
    bench.zone->revocations.put({digest}, static_cast<std::uint32_t>(kNow));
    EXPECT_TRUE(bench.zone->revocations.may_hold(digest.high, 0, static_cast<std::uint32_t>(kNow)));
    EXPECT_EQ(bench.look(token), "hit");
    EXPECT_EQ(bench.keep(token), "");
    EXPECT_EQ(bench.look(token), "hit");
}

TEST(RevokedToken, SeenFirstAfterItsRevocationIsNeverNotedAsClean) {
    RecallBench bench;
    const Parsed token(kToken);
    bench.revoke(RevocationKind::kSubject, kIss, "u");
    EXPECT_EQ(bench.keep(token), "revoked");
    for (int i = 0; i < 3; ++i) EXPECT_EQ(bench.look(token), "revoked");
    bench.revoke(RevocationKind::kSubject, kIss, "somebody else");
    EXPECT_EQ(bench.look(token), "revoked");
}

// Two issuers of one name that take the subject from different claims; the token is used at both.
// One looks at revocations while the other puts its own verdict there.
TEST(RevokedToken, IsNotNotedAsCleanByALookAtAnotherIssuersVerdict) {
    RecallBench bench;
    const Parsed token(R"({"iss":"https://idp","sub":"u","uid":"v","exp":1700001000})");
    jose::Issuer other = test_issuer();
    other.name = "other";
    other.subject_claim = {"uid"};
    const TrustedIssuer trusted{&other, secret_keys(), nullptr, epoch_of(other, "first keys")};
    const auto claims = jose::verify_jwt(token.token, token.document, other, *trusted.keys, kNow);
    ASSERT_TRUE(claims);
    ASSERT_EQ(bench.keep(token), "");
    bench.revoke(RevocationKind::kSubject, kIss, "v");

    bench.zone.meanwhile = [&] {
        const auto kept = remember(*bench.zone, bench.fingerprint_of(token.text), token.text,
                                   text_of(token.token.payload), *claims, trusted, kNow);
        EXPECT_FALSE(kept);
    };
    EXPECT_EQ(bench.look(token), "hit") << "the first issuer knows no v";
    const TrustedIssuer* const issuers[] = {&trusted};
    for (int i = 0; i < 2; ++i) {
        Recalled found;
        EXPECT_EQ(bench.recall_text(token.text, issuers, found), Reason::kRevoked)
            << "a revoked subject";
    }
}

// ---- the same through the engine

struct Answered {
    std::string outcome;
    CacheOutcome cache;
    bool operator==(const Answered&) const = default;
};

std::string outcome_of(const Outcome& outcome) {
    if (std::holds_alternative<Verified>(outcome)) return "verified";
    const auto* deny = std::get_if<Deny>(&outcome);
    return deny != nullptr ? std::string(code(deny->reason)) : "?";
}

// As the adapter asks: memory first.
Answered ask(RecallBench& bench, const std::string& text, Reason unknown = Reason::kNone,
             std::size_t max_size = 1 << 20) {
    const TrustedIssuer* const issuers[] = {&bench.trusted};
    Request request;
    request.credential = {CredentialKind::kJwt, text};
    request.issuers = issuers;
    request.now = kNow;
    request.max_size = max_size;
    request.zone = &*bench.zone;
    request.revocations_unknown = unknown;
    Authentication authentication(request);
    Recalled found;
    const auto known = authentication.known_token(found);
    const std::string outcome = !known                    ? outcome_of(authentication.start())
                                : *known == Reason::kNone ? "recalled"
                                                          : std::string(code(*known));
    return {outcome, authentication.cache()};
}

TEST(EngineWithAZone, VerifiesOnceAndRecallsFromThenOn) {
    RecallBench bench;
    const std::string text = compact(kToken);
    EXPECT_EQ(ask(bench, text), (Answered{"verified", CacheOutcome::kMiss}));
    EXPECT_EQ(ask(bench, text), (Answered{"recalled", CacheOutcome::kHit}));
    bench.revoke(RevocationKind::kJti, kIss, "j");
    EXPECT_EQ(ask(bench, text), (Answered{"revoked", CacheOutcome::kHit}));
}

TEST(EngineWithAZone, RefusesARevokedTokenThatItHasNeverSeen) {
    RecallBench bench;
    bench.revoke(RevocationKind::kSubject, kIss, "u");
    const std::string text = compact(kToken);
    EXPECT_EQ(ask(bench, text), (Answered{"revoked", CacheOutcome::kMiss}));
    EXPECT_EQ(ask(bench, text), (Answered{"revoked", CacheOutcome::kHit}));
}

TEST(EngineWithAZone, RefusesAGoodTokenWhoseRevocationCannotBeKnown) {
    RecallBench bench;
    const std::string text = compact(kToken);
    EXPECT_EQ(ask(bench, text, Reason::kRevocationLag).outcome, "revocation_lag");
    EXPECT_EQ(ask(bench, text, Reason::kRevocationLag).outcome, "revocation_lag") << "on a hit";
    EXPECT_EQ(ask(bench, text).outcome, "recalled");
    EXPECT_EQ(ask(bench, text + "x", Reason::kRevocationLag).outcome, "sig_bad");
}

TEST(EngineWithAZone, NeverKeepsABadToken) {
    RecallBench bench;
    std::string text = compact(kToken);
    text.back() = text.back() == 'A' ? 'E' : 'A';
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(ask(bench, text), (Answered{"sig_bad", CacheOutcome::kMiss}));
    }
    EXPECT_EQ(ask(bench, compact(R"({"iss":"https://idp","exp":1})")).outcome, "exp_past");
    EXPECT_EQ(ask(bench, compact(R"({"iss":"https://idp","exp":1700001000,"sub":"a\u0007"})")),
              (Answered{"claim_unsafe", CacheOutcome::kMiss}));
    EXPECT_EQ(bench.zone->verdicts.occupied(), 0U);
}

TEST(EngineWithAZone, VerifiesTokensThatNoFingerprintCovers) {
    RecallBench bench;
    const auto token_of = [](std::size_t size) {
        const std::string head = R"({"iss":"https://idp","exp":1700001000,"p":")";
        const std::size_t fixed = compact(head + "\"}").size();
        std::string text = compact(head + std::string((size - fixed) / 4 * 3, 'p') + "\"}");
        return text;
    };
    const std::string fits = token_of(cache::kMaxFingerprintText);
    ASSERT_LE(fits.size(), cache::kMaxFingerprintText);
    EXPECT_EQ(ask(bench, fits).cache, CacheOutcome::kMiss);
    EXPECT_EQ(ask(bench, fits), (Answered{"recalled", CacheOutcome::kHit}));
    const std::string too_long = token_of(cache::kMaxFingerprintText + 8);
    ASSERT_GT(too_long.size(), cache::kMaxFingerprintText);
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(ask(bench, too_long), (Answered{"verified", CacheOutcome::kBypass}));
    }
    EXPECT_EQ(ask(bench, fits, Reason::kNone, fits.size() - 1),
              (Answered{"tok_too_long", CacheOutcome::kBypass}));
}

// By what a token is revoked that nobody remembers: "", "itself" or "more".
std::string by(const std::vector<Named>& revoked, std::uint32_t issued_until = kEveryInstant) {
    RecallBench bench;
    const Parsed token(kToken);
    const auto claims =
        jose::verify_jwt(token.token, token.document, bench.issuer, *bench.trusted.keys, kNow);
    for (const Named& one : revoked) {
        bench.revoke(one.kind, one.issuer, one.value, issued_until, kNeverForgotten);
    }
    const Revoked found = revoked_by(*bench.zone, token.text, *claims, kNow);
    return found == Revoked::kNo ? "" : found == Revoked::kItself ? "itself" : "more";
}

TEST(RevokedBy, TellsTheTokenFromItsSession) {
    EXPECT_EQ(by({}), "");
    EXPECT_EQ(by({{RevocationKind::kJti, kIss, "j"}}), "itself");
    EXPECT_EQ(by({{RevocationKind::kJti, kIss, "other"}}), "");
    EXPECT_EQ(by({{RevocationKind::kSession, kIss, "s"}}), "more");
    EXPECT_EQ(by({{RevocationKind::kSubject, kIss, "u"}}), "more");
    EXPECT_EQ(by({{RevocationKind::kClient, kIss, "c"}}), "more");
    EXPECT_EQ(by({{RevocationKind::kAll, "*", ""}}), "more");
    EXPECT_EQ(by({{RevocationKind::kJti, kIss, "j"}, {RevocationKind::kSession, kIss, "s"}}),
              "more");
}

TEST(RevokedBy, HeedsWhenTheTokenWasIssued) {
    EXPECT_EQ(by({{RevocationKind::kJti, kIss, "j"}}, 1699998999), "");
    EXPECT_EQ(by({{RevocationKind::kJti, kIss, "j"}}, 1699999000), "itself");
    EXPECT_EQ(by({{RevocationKind::kSession, kIss, "s"}}, 1699998999), "");
}

}  // namespace
}  // namespace gate::policy
