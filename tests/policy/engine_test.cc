#include <gtest/gtest.h>

#include "base/base64url.h"
#include "tests/policy/engine_support.h"

namespace gate::policy {
namespace {

const std::string kSecret = "an engine test secret of 40 octets, HS256";

std::string signed_token(const std::string& header, const std::string& payload,
                         const std::string& secret = kSecret) {
    const std::string input =
        base64url_encode(bytes_of(header)) + "." + base64url_encode(bytes_of(payload));
    return input + "." + base64url_encode(crypto::hmac_sha256(bytes_of(secret), bytes_of(input)));
}

std::string token(const std::string& claims, const std::string& secret = kSecret) {
    return signed_token("{\"alg\":\"HS256\",\"typ\":\"JWT\"}", "{\"exp\":1700000060" + claims + "}",
                        secret);
}

std::shared_ptr<const jose::KeySet> keys(const std::string& secret = kSecret) {
    auto set = std::make_shared<jose::KeySet>();
    EXPECT_TRUE(set->add_secret(bytes_of(secret), "", {}));
    return set;
}

jose::Issuer issuer(const std::string& name, std::optional<std::string> iss) {
    jose::Issuer out;
    out.name = name;
    out.iss = std::move(iss);
    out.algorithms = {crypto::Alg::kHS256};
    out.audience_off = true;
    return out;
}

class JwtEngine : public ::testing::Test {
protected:
    Outcome authenticate(const std::string& text) {
        Request request;
        request.credential = {CredentialKind::kJwt, text};
        std::vector<const TrustedIssuer*> issuers;
        for (const TrustedIssuer& trusted : trusted_) issuers.push_back(&trusted);
        request.issuers = issuers;
        request.now = now_;
        request.optional = optional_;
        request.max_size = max_size_;
        return Authentication(request).start();
    }
    std::string outcome(const std::string& text) { return name_of_outcome(authenticate(text)); }

    jose::Issuer corp_ = issuer("corp", "https://corp.test");
    jose::Issuer plain_ = issuer("plain", std::nullopt);
    jose::Issuer down_ = issuer("down", "https://down.test");
    std::vector<TrustedIssuer> trusted_{
        {&corp_, keys(), nullptr},
        {&plain_, keys("another secret, also of 40 octets: abcde"), nullptr},
        {&down_, nullptr, nullptr}};
    Seconds now_ = kNow;
    bool optional_ = false;
    std::size_t max_size_ = 8192;
};

const std::string kCorp = ",\"iss\":\"https://corp.test\"";

TEST_F(JwtEngine, VerifiesATokenOfATrustedIssuer) {
    trusted_[0].roles = role_map("admin *;");
    const std::string text =
        signed_token("{\"alg\":\"HS256\",\"kid\":\"k-1\",\"x\":1}",
                     "{\"exp\":1700000060.9,\"iss\":\"https://"
                     "corp.test\",\"sub\":\"alice\",\"client_id\":\"app\",\"scope\":\"a b:c\","
                     "\"roles\":[\"admin\",\"dev\"],\"groups\":[\"g1\"],\"deep\":{\"x\":7}}");
    Outcome outcome = Deny{Reason::kInternal};
    {
        const std::string short_lived = text;
        outcome = authenticate(short_lived);
    }
    const Principal& principal = principal_of(outcome);
    EXPECT_EQ(principal.kind, CredentialKind::kJwt);
    EXPECT_EQ(principal.source_name, "corp");
    EXPECT_EQ(principal.subject, "alice");
    EXPECT_EQ(principal.issuer, "https://corp.test");
    EXPECT_EQ(principal.client, "app");
    EXPECT_EQ(principal.key_id(), "k-1");
    EXPECT_EQ(principal.key_name, "");
    EXPECT_EQ(principal.scopes, (TextList{"a", "b:c"}));
    EXPECT_EQ(principal.roles, (TextList{"admin", "dev"}));
    EXPECT_EQ(principal.groups, (TextList{"g1"}));
    EXPECT_FALSE(principal.scopes_are_patterns);
    EXPECT_EQ(principal.expires, 1700000060);
    EXPECT_EQ(principal.claims.root().find("deep.x").integer(), 7);
    EXPECT_EQ(principal.header.root().member("x").integer(), 1);
    EXPECT_EQ(principal.role_map, trusted_[0].roles);
    EXPECT_TRUE(principal.has_scope("anything"));
    EXPECT_EQ(principal.record, nullptr);
}

TEST_F(JwtEngine, ChoosesTheIssuerByExactIss) {
    EXPECT_EQ(outcome(token(kCorp)), "verified");
    for (const char* iss :
         {"https://corp.test/", "https://corp.tes", "HTTPS://corp.test", "", "corp"}) {
        EXPECT_EQ(outcome(token(",\"iss\":\"" + std::string(iss) + "\"")), "iss_mismatch") << iss;
    }
    EXPECT_EQ(outcome(token(",\"iss\":7")), "claim_type");
    EXPECT_EQ(outcome(token(",\"iss\":null")), "claim_type");
    EXPECT_EQ(outcome(token(",\"iss\":[\"https://corp.test\"]")), "claim_type");
}

TEST_F(JwtEngine, GivesTokensWithoutIssToTheIssuerThatIsOff) {
    EXPECT_EQ(principal_of(authenticate(token("", "another secret, also of 40 octets: abcde")))
                  .source_name,
              "plain");
    EXPECT_EQ(outcome(token("")), "sig_bad");
    EXPECT_EQ(outcome(token(kCorp, "another secret, also of 40 octets: abcde")), "sig_bad");
    trusted_.erase(trusted_.begin() + 1);
    EXPECT_EQ(outcome(token("", "another secret, also of 40 octets: abcde")), "iss_mismatch");
    trusted_.clear();
    EXPECT_EQ(outcome(token(kCorp)), "iss_mismatch");
}

TEST_F(JwtEngine, CannotDecideWithoutKeys) {
    EXPECT_EQ(outcome(token(",\"iss\":\"https://down.test\"")), "jwks_unavailable");
}

TEST_F(JwtEngine, RefusesWhatTheTokenLayersRefuse) {
    EXPECT_EQ(outcome(""), "tok_malformed");
    EXPECT_EQ(outcome("a.b"), "tok_malformed");
    EXPECT_EQ(outcome("a.b.c"), "tok_b64");
    EXPECT_EQ(outcome(signed_token("{\"alg\":\"none\"}", "{}")), "alg_none");
    EXPECT_EQ(outcome(signed_token("{\"alg\":\"HS256\"}", "[]")), "json_bad");
    EXPECT_EQ(outcome(signed_token("{\"alg\":\"HS256\"}", "{\"a\":1,\"a\":1}")), "json_dup");
    EXPECT_EQ(outcome(token(kCorp, "not the secret that was configured, no..")), "sig_bad");
    EXPECT_EQ(outcome(signed_token("{\"alg\":\"HS384\"}", "{\"exp\":1700000060" + kCorp + "}")),
              "alg_not_allowed");
}

TEST_F(JwtEngine, JudgesTimeByItsParameter) {
    const std::string text = token(kCorp);
    now_ = 1700000059;
    EXPECT_EQ(outcome(text), "verified");
    now_ = 1700000060;
    EXPECT_EQ(outcome(text), "exp_past");
}

TEST_F(JwtEngine, LimitsTheSizeBeforeAnyDecoding) {
    const std::string text = token(kCorp);
    max_size_ = text.size();
    EXPECT_EQ(outcome(text), "verified");
    max_size_ = text.size() - 1;
    EXPECT_EQ(outcome(text), "tok_too_long");
    EXPECT_EQ(outcome(std::string(text.size(), '.')), "tok_too_long");
}

TEST_F(JwtEngine, RefusesABadTokenEvenWhereNoneWouldDo) {
    optional_ = true;
    EXPECT_EQ(outcome("a.b"), "tok_malformed");
    EXPECT_EQ(outcome(""), "tok_malformed");
}

TEST_F(JwtEngine, RefusesUnsafeIdentityClaims) {
    for (const char* claim :
         {"\"sub\":\"a\\r\\nX: y\"", "\"sub\":\"\\u0000\"", "\"sub\":\"a\\u007f\"",
          "\"client_id\":\"a\\n\"", "\"scope\":\"a b\\tc\"", "\"scope\":[\"ok\",\"a\\u001f\"]",
          "\"roles\":[\"ok\",\"a\\n\"]", "\"roles\":\"a\\n\"", "\"groups\":[\"a\\u0000\"]"}) {
        EXPECT_EQ(outcome(token(kCorp + "," + claim)), "claim_unsafe") << claim;
    }
    EXPECT_EQ(outcome(token(kCorp + ",\"sub\":\"a \xc3\xa9,\\\"\",\"other\":\"\\n\"")), "verified");
    const std::string header = "{\"alg\":\"HS256\",\"kid\":\"a\\n\"}";
    EXPECT_EQ(outcome(signed_token(header, "{\"exp\":1700000060" + kCorp + "}")), "claim_unsafe");
    corp_.iss = "https://corp.test\n";
    EXPECT_EQ(outcome(token(",\"iss\":\"https://corp.test\\n\"")), "claim_unsafe");
}

TEST_F(JwtEngine, LimitsTheLengthOfIdentityClaims) {
    max_size_ = 1 << 20;
    EXPECT_EQ(outcome(token(kCorp + ",\"sub\":\"" + std::string(4096, 'a') + "\"")), "verified");
    for (const char* claim : {"sub", "client_id", "scope", "roles", "groups"}) {
        EXPECT_EQ(outcome(token(kCorp + ",\"" + claim + "\":\"" + std::string(4097, 'a') + "\"")),
                  "claim_unsafe")
            << claim;
    }
}

TEST_F(JwtEngine, RefusesBeforeItLooksAtIdentity) {
    EXPECT_EQ(
        outcome(token(kCorp + ",\"sub\":\"\\n\"", "not the secret that was configured, no..")),
        "sig_bad");
}

TEST(Engine, AsksForACredentialUnlessOptional) {
    Request request;
    EXPECT_EQ(name_of_outcome(Authentication(request).start()), "no_credential");
    request.optional = true;
    EXPECT_EQ(name_of_outcome(Authentication(request).start()), "anonymous");
}

TEST(Engine, RefusesKindsItDoesNotKnow) {
    for (CredentialKind kind : {CredentialKind::kBasic, static_cast<CredentialKind>(77)}) {
        Request request;
        request.optional = true;
        request.credential = {kind, "x"};
        EXPECT_EQ(name_of_outcome(Authentication(request).start()), "internal_error");
    }
}

}  // namespace
}  // namespace gate::policy
