#include "jose/issue.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>

#include "base/base64url.h"
#include "jose/jwt.h"
#include "tests/support/pem_fixtures.h"

namespace gate::jose {
namespace {

using crypto::Alg;

constexpr Seconds kNow = 1'700'000'000;

Issuer issuer_of() {
    Issuer issuer;
    issuer.iss = "https://gate.example";
    issuer.audiences = {"orders"};
    issuer.signing = Signing{};
    issuer.signing->refresh = 7 * 86400;
    return issuer;
}

KeySet set_of(std::string_view pem, std::string_view kid = "", crypto::AlgSet algs = {}) {
    KeySet keys;
    const auto added = keys.add_pem(pem, kid, algs, KeyUse::kSign);
    EXPECT_TRUE(added) << (added ? "" : added.error().detail);
    return keys;
}

// The part of a token before or behind its first dot, decoded.
std::string part(const std::string& token, bool payload) {
    const std::size_t dot = token.find('.');
    const std::string_view text =
        payload ? std::string_view(token).substr(dot + 1, token.rfind('.') - dot - 1)
                : std::string_view(token).substr(0, dot);
    const auto octets = base64url_decode(text);
    return {octets->begin(), octets->end()};
}

Result<Claims, Reason> judge(const std::string& text, const Issuer& issuer, const KeySet& keys,
                             Seconds now = kNow) {
    const auto token = parse_token(text);
    if (!token) return fail(token.error());
    const auto payload = Document::parse(text_of(token->payload));
    if (!payload) return fail(payload.error());
    return verify_jwt(*token, *payload, issuer, keys, now);
}

TEST(AccessToken, SaysWhatItsIssuerDemands) {
    const KeySet keys = set_of(test::kP256Private, "k1");
    const auto token = issue_access_token(
        keys, issuer_of(), {.subject = "ann", .session = "s1", .claims = R"({"role":"editor"})"},
        kNow);
    ASSERT_TRUE(token);
    EXPECT_EQ(part(token->text, false), R"({"alg":"ES256","typ":"JWT","kid":"k1"})");
    EXPECT_EQ(part(token->text, true),
              R"({"iss":"https://gate.example","sub":"ann","aud":"orders","role":"editor",)"
              R"("iat":1700000000,"exp":1700003600,"jti":")" +
                  token->jti + R"(","sid":"s1"})");
    EXPECT_EQ(token->expires, kNow + 3600);
    const auto claims = judge(token->text, issuer_of(), keys);
    ASSERT_TRUE(claims);
    EXPECT_EQ(claims->subject, "ann");
    EXPECT_EQ(claims->session, "s1");
    EXPECT_EQ(claims->roles, std::vector<std::string_view>{"editor"});
}

TEST(AccessToken, LeavesOutWhatIsOff) {
    Issuer issuer = issuer_of();
    issuer.iss = std::nullopt;
    issuer.audiences = {};
    issuer.audience_off = true;
    const auto token =
        issue_access_token(set_of(test::kP256Private, "k"), issuer, {.subject = "ann"}, kNow);
    ASSERT_TRUE(token);
    EXPECT_EQ(part(token->text, true),
              R"({"sub":"ann","iat":1700000000,"exp":1700003600,"jti":")" + token->jti + R"("})");
}

TEST(AccessToken, NamesAllAudiencesAndItsType) {
    Issuer issuer = issuer_of();
    issuer.audiences = {"a", "b"};
    issuer.types = {"at+jwt", "JWT"};
    const KeySet keys = set_of(test::kEd25519Private, "ed");
    const auto token = issue_access_token(keys, issuer, {.subject = "ann"}, kNow);
    ASSERT_TRUE(token);
    EXPECT_EQ(part(token->text, false), R"({"alg":"EdDSA","typ":"at+jwt","kid":"ed"})");
    EXPECT_NE(part(token->text, true).find(R"("aud":["a","b"])"), std::string::npos);
    EXPECT_TRUE(judge(token->text, issuer, keys));
}

TEST(AccessToken, SaysWhenTheLoginWasWhereItIsGoodForMore) {
    Issuer issuer = issuer_of();
    const KeySet keys = set_of(test::kP256Private);
    const Grant grant{.subject = "ann", .session_began = kNow - 50};
    const auto usual = issue_access_token(keys, issuer, grant, kNow);
    EXPECT_EQ(part(usual->text, true).find("auth_time"), std::string::npos);
    issuer.signing->tells_login = true;
    const auto token = issue_access_token(keys, issuer, grant, kNow);
    EXPECT_NE(part(token->text, true).find(R"("auth_time":1699999950,)"), std::string::npos);
}

TEST(AccessToken, HasAnIdentifierOfItsOwn) {
    const KeySet keys = set_of(test::kP256Private);
    std::set<std::string> seen;
    for (int i = 0; i < 200; ++i) {
        const auto token = issue_access_token(keys, issuer_of(), {.subject = "ann"}, kNow);
        ASSERT_TRUE(token);
        EXPECT_EQ(token->jti.size(), 22u);
        seen.insert(token->jti);
    }
    EXPECT_EQ(seen.size(), 200u);
}

TEST(AccessToken, EscapesWhoItIsFor) {
    const KeySet keys = set_of(test::kP256Private);
    const auto token =
        issue_access_token(keys, issuer_of(), {.subject = R"(a","role":"admin)"}, kNow);
    ASSERT_TRUE(token);
    const auto claims = judge(token->text, issuer_of(), keys);
    ASSERT_TRUE(claims);
    EXPECT_EQ(claims->subject, R"(a","role":"admin)");
    EXPECT_TRUE(claims->roles.empty());
}

TEST(SigningKeys, AreTakenInTheirOrderOrByKid) {
    KeySet keys;
    ASSERT_TRUE(keys.add_pem(test::kP256Public, "only-public", {}, KeyUse::kSign));
    ASSERT_TRUE(keys.add_pem(test::kEd25519Private, "ed", {}, KeyUse::kSign));
    ASSERT_TRUE(keys.add_pem(test::kRsaPrivate, "rsa", {Alg::kPS256, Alg::kRS256}, KeyUse::kSign));
    Issuer issuer = issuer_of();
    EXPECT_EQ(signing_key(keys, issuer)->kid, "ed");
    issuer.signing->kid = "rsa";
    EXPECT_EQ(signing_key(keys, issuer)->kid, "rsa");
    const auto token = issue_access_token(keys, issuer, {.subject = "ann"}, kNow);
    ASSERT_TRUE(token);
    EXPECT_EQ(part(token->text, false), R"({"alg":"RS256","typ":"JWT","kid":"rsa"})");
    issuer.signing->kid = "only-public";
    EXPECT_EQ(signing_key(keys, issuer), nullptr);
    EXPECT_FALSE(issue_access_token(keys, issuer, {.subject = "ann"}, kNow));
    issuer.signing.reset();
    EXPECT_EQ(signing_key(keys, issuer), nullptr);
}

TEST(SigningKeys, OfAnAlgorithmThatTheIssuerRefusesDoNotSign) {
    Issuer issuer = issuer_of();
    issuer.algorithms = {Alg::kEdDSA};
    EXPECT_EQ(signing_key(set_of(test::kP256Private), issuer), nullptr);
}

TEST(SigningKeys, GetTheirThumbprintAsKid) {
    const KeySet keys = set_of(test::kP256Private);
    EXPECT_EQ(keys.keys()[0].kid.size(), 43u);
    EXPECT_EQ(keys.keys()[0].kid, set_of(test::kP256Public).keys()[0].kid);
}

TEST(SigningKeys, AreNoPlaceForOthersPrivateKeys) {
    KeySet keys;
    const auto refused = keys.add_pem(test::kP256Private, "", {});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().detail.find("a private key"), std::string::npos);
    EXPECT_FALSE(keys.add_pem(test::kP256PrivateEncrypted, "", {}, KeyUse::kSign));
}

TEST(SigningSecrets, SignWithoutKid) {
    KeySet keys;
    const std::string secret = "0123456789abcdefghijklmnopqrstuvwxyz-ABCDEF";
    ASSERT_TRUE(keys.add_secret(bytes_of(secret), "", {Alg::kHS256}, KeyUse::kSign));
    Issuer issuer = issuer_of();
    issuer.algorithms = {Alg::kHS256};
    const auto token = issue_access_token(keys, issuer, {.subject = "ann"}, kNow);
    ASSERT_TRUE(token);
    EXPECT_EQ(part(token->text, false), R"({"alg":"HS256","typ":"JWT"})");
    EXPECT_TRUE(judge(token->text, issuer, keys));
}

TEST(RefreshToken, IsGoodForRefreshingOnly) {
    const KeySet keys = set_of(test::kP256Private);
    const Issuer issuer = issuer_of();
    const auto token = issue_refresh_token(
        keys, issuer, {.subject = "ann", .session = "s", .claims = R"({"role":"admin"})"}, kNow,
        kNow + 30 * 86400);
    ASSERT_TRUE(token);
    EXPECT_EQ(token->expires, kNow + 7 * 86400);
    EXPECT_EQ(part(token->text, true).find("role"), std::string::npos);
    EXPECT_EQ(judge(token->text, issuer, keys).error(), Reason::kTypBad);
    const auto claims = judge(token->text, refresh_rules(issuer), keys);
    ASSERT_TRUE(claims);
    EXPECT_EQ(claims->subject, "ann");
    EXPECT_EQ(claims->session, "s");
    EXPECT_EQ(claims->jti, token->jti);
}

TEST(RefreshToken, EndsWithItsSession) {
    const auto token = issue_refresh_token(set_of(test::kP256Private), issuer_of(),
                                           {.subject = "ann", .session = "s"}, kNow, kNow + 60);
    ASSERT_TRUE(token);
    EXPECT_EQ(token->expires, kNow + 60);
}

TEST(RefreshRules, RefuseAccessTokens) {
    const KeySet keys = set_of(test::kP256Private);
    const Issuer issuer = issuer_of();
    const auto access = issue_access_token(keys, issuer, {.subject = "ann", .session = "s"}, kNow);
    ASSERT_TRUE(access);
    EXPECT_EQ(judge(access->text, refresh_rules(issuer), keys).error(), Reason::kTypBad);
    const auto without_session =
        issue_refresh_token(keys, issuer, {.subject = "ann"}, kNow, kNow + 9);
    EXPECT_EQ(judge(without_session->text, refresh_rules(issuer), keys).error(),
              Reason::kClaimMissing);
}

}  // namespace
}  // namespace gate::jose
