// What makes a JWK unusable is told for what it is.
#include <gtest/gtest.h>

#include "base/base64url.h"
#include "jose/jwk.h"

namespace {

using namespace gate;
using jose::Document;

// "reason: detail" of a refused key; "" for a usable one.
std::string verdict(const std::string& jwk) {
    const auto document = Document::parse("{\"k\":" + jwk + "}");
    if (!document) return "not JSON";
    const auto key = jose::read_jwk(document->root().member("k"));
    if (key) return "";
    return std::string(code(key.error().reason)) + ": " + key.error().detail;
}

std::string rsa(const ByteVector& n, const ByteVector& e) {
    return R"({"kty":"RSA","n":")" + base64url_encode(n) + R"(","e":")" + base64url_encode(e) +
           "\"}";
}

TEST(ReadJwk, RefusesLeadingZeroOctetsInEitherNumber) {
    ByteVector n(256, 0x5a);
    n.back() = 0x5b;
    const ByteVector e{1, 0, 1};
    ByteVector padded_n = n;
    padded_n.insert(padded_n.begin(), 0);
    ByteVector one_first = n;
    one_first.insert(one_first.begin(), 1);  // 2049 bits
    const std::string zeros = "jwk_bad: \"n\" or \"e\" with leading zero octets";
    EXPECT_EQ(verdict(rsa(padded_n, e)), zeros);
    EXPECT_EQ(verdict(rsa(n, {0, 1, 0, 1})), zeros);
    EXPECT_EQ(verdict(rsa(one_first, e)), "");
}

TEST(ReadJwk, NamesTheMemberThatIsMissing) {
    const std::string x = R"("x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU")";
    const std::string y = R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")";
    const std::string ec = R"({"kty":"EC","crv":"P-256",)";
    const std::string both = "jwk_bad: \"x\" and \"y\" must be unpadded base64url";
    EXPECT_EQ(verdict(ec + x + "," + y + "}"), "");
    EXPECT_EQ(verdict(ec + x + "}"), both);
    EXPECT_EQ(verdict(ec + y + "}"), both);
    EXPECT_EQ(verdict(R"({"kty":"EC","crv":"P-256"})"), both);
    EXPECT_EQ(verdict(R"({"kty":"EC",)" + x + "," + y + "}"), "jwk_bad: unknown \"crv\"");
    EXPECT_EQ(verdict(R"({"kty":"OKP",)" + x + "}"), "jwk_bad: unknown \"crv\"");
    EXPECT_EQ(verdict(R"({"kty":"OKP","crv":"Ed25519"})"),
              "jwk_bad: \"x\" must be unpadded base64url");
}

TEST(ReadJwk, SaysOfAnAlgWhetherItIsUnknownOrOfOtherKeys) {
    const std::string oct = R"({"kty":"oct","k":")" + base64url_encode(ByteVector(64, 0x5a)) + "\"";
    EXPECT_EQ(verdict(oct + R"(,"alg":"HS256"})"), "");
    for (const char* alg : {R"("HS999")", R"("hs256")", R"("none")", R"("")", "null", "1"}) {
        EXPECT_EQ(verdict(oct + R"(,"alg":)" + alg + "}"), "jwk_bad: \"alg\" is no JWS algorithm")
            << alg;
    }
    EXPECT_EQ(verdict(oct + R"(,"alg":"RS256"})"), "jwk_bad: \"alg\" does not fit the key");
}

TEST(ReadJwk, TakesNothingButAnObject) {
    for (const char* jwk : {"1", "null", "\"x\"", "[]"}) {
        EXPECT_EQ(verdict(jwk), "jwk_bad: a key must be an object") << jwk;
    }
    const auto keys = jose::KeySet().add_jwks(R"({"keys":{"a":1}})");
    ASSERT_FALSE(keys);
    EXPECT_EQ(keys.error().detail, "no \"keys\" array");
}

TEST(ReadJwk, RefusesOctKeysThatEverybodyKnows) {
    const std::string secret = "your-256-bit-secret-your-256-bit-secret";
    const bool known = jose::is_publicly_known_secret(bytes_of(secret));
    const std::string jwk = R"({"kty":"oct","k":")" + base64url_encode(bytes_of(secret)) + "\"}";
    EXPECT_EQ(verdict(jwk).empty(), !known);
    EXPECT_EQ(verdict(R"({"kty":"other","k":"AAAA"})"), "jwk_bad: unknown \"kty\"");
}

}  // namespace
