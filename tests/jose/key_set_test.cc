#include "jose/key_set.h"

#include <gtest/gtest.h>

#include <string>

#include "base/base64url.h"
#include "jose/jwk.h"
#include "tests/support/pem_fixtures.h"

namespace gate::jose {
namespace {

// Public keys of RFC 7515 A.3 and RFC 8037 A.2.
const std::string kEcMembers =
    R"("kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
    R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")";
const std::string kOkpMembers =
    R"("kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")";

std::string oct(std::size_t size, const std::string& more = "") {
    return R"({"kty":"oct","k":")" + base64url_encode(ByteVector(size, 7)) + "\"" + more + "}";
}

std::string rsa(std::size_t octets, const std::string& e = "AQAB") {
    ByteVector n(octets, 0xfd);
    return R"({"kty":"RSA","n":")" + base64url_encode(n) + R"(","e":")" + e + "\"}";
}

std::string set_of(const std::string& keys) {
    return "{\"keys\":[" + keys + "]}";
}

std::string key(const std::string& members, const std::string& more = "") {
    return "{" + members + (more.empty() ? "" : "," + more) + "}";
}

struct Loaded {
    explicit Loaded(const std::string& json, JwksOrigin origin = JwksOrigin::kFile) {
        const auto status = keys.add_jwks(json, origin);
        if (!status) {
            reason = code(status.error().reason);
            detail = status.error().detail;
        }
    }
    KeySet keys;
    std::string reason;
    std::string detail;
};

std::string reason_of(const std::string& json) {
    return Loaded(json).reason;
}

TEST(Jwks, LoadsKeysOfEveryKindAndABareKey) {
    const Loaded set(set_of(key(kEcMembers, R"("kid":"e")") + "," + key(kOkpMembers)));
    EXPECT_EQ(set.reason, "");
    ASSERT_EQ(set.keys.keys().size(), 2u);
    EXPECT_EQ(set.keys.algs().names(), "ES256 EdDSA");
    EXPECT_EQ(set.keys.find("e"), &set.keys.keys()[0]);
    EXPECT_EQ(set.keys.find(""), nullptr);
    EXPECT_EQ(set.keys.find("E"), nullptr);
    EXPECT_EQ(reason_of(rsa(256)), "");
    EXPECT_EQ(reason_of(oct(64)), "");
}

TEST(Jwks, RefusesWhatIsNoSet) {
    for (const char* json : {"", "[]", "{}", R"({"keys":null})", R"({"keys":{}})", R"({"keys":[]})",
                             R"({"keys":[],"keys":[]})", R"({"keys":"x"})"}) {
        EXPECT_EQ(reason_of(json), "jwks_bad") << json;
    }
    EXPECT_NE(Loaded("{").detail.find("json_bad"), std::string::npos);
}

TEST(Jwks, NamesTheReasonOfItsOnlyKey) {
    EXPECT_EQ(reason_of(set_of(rsa(128))), "jwk_weak");
    EXPECT_EQ(reason_of(set_of(rsa(128) + "," + rsa(128))), "jwks_bad");
    EXPECT_NE(Loaded(set_of(rsa(128) + "," + rsa(128))).detail.find("2048"), std::string::npos);
    EXPECT_EQ(reason_of(set_of("1")), "jwk_bad");
    EXPECT_EQ(reason_of(key("\"kty\":\"AKP\"")), "jwk_bad");
}

TEST(Jwks, SkipsBrokenKeysAndKeepsTheRest) {
    const Loaded set(set_of(R"(1,null,"x",{"kty":"AKP","kid":"q"},)" + rsa(128) + "," +
                            key(kEcMembers, R"("kid":"e")")));
    EXPECT_EQ(set.reason, "");
    EXPECT_EQ(set.keys.keys().size(), 1u);
    EXPECT_EQ(set.keys.skipped().size(), 5u);
    ASSERT_NE(set.keys.find_skipped("q"), nullptr);
    EXPECT_EQ(set.keys.find_skipped("q")->reason, Reason::kJwkBad);
    EXPECT_EQ(set.keys.find_skipped(""), nullptr);
    EXPECT_EQ(set.keys.find_skipped("e"), nullptr);
}

TEST(Jwks, HonoursUseAndKeyOps) {
    const auto with = [](const std::string& more) { return reason_of(key(kEcMembers, more)); };
    EXPECT_EQ(with(R"("use":"sig")"), "");
    for (const char* use : {"\"\"", "\"enc\"", "\"SIG\"", "\"sig \"", "1", "null", "[\"sig\"]"}) {
        EXPECT_EQ(with("\"use\":" + std::string(use)), "jwk_use") << use;
    }
    EXPECT_EQ(with(R"("key_ops":["verify"])"), "");
    EXPECT_EQ(with(R"("key_ops":["sign","verify"])"), "");
    for (const char* ops : {"[]", "[\"sign\"]", "\"verify\"", "null", "{}", "[\"Verify\"]",
                            "[\"verify\",1]", "[[\"verify\"]]"}) {
        EXPECT_EQ(with("\"key_ops\":" + std::string(ops)), "jwk_use") << ops;
    }
}

TEST(Jwks, HonoursAlg) {
    const auto algs_with = [](const std::string& jwk) { return Loaded(jwk).keys.algs().names(); };
    EXPECT_EQ(algs_with(key(kEcMembers, R"("alg":"ES256")")), "ES256");
    EXPECT_EQ(algs_with(oct(64, R"(,"alg":"HS384")")), "HS384");
    EXPECT_EQ(algs_with(rsa(256)), "RS256 RS384 RS512 PS256 PS384 PS512");
    for (const char* alg : {"\"ES384\"", "\"RS256\"", "\"HS256\"", "\"ES521\"", "\"RSA-OAEP\"",
                            "\"\"", "\"es256\"", "\"none\"", "1", "null", "[\"ES256\"]"}) {
        EXPECT_EQ(reason_of(key(kEcMembers, "\"alg\":" + std::string(alg))), "jwk_bad") << alg;
    }
    EXPECT_EQ(reason_of(oct(32, R"(,"alg":"HS384")")), "jwk_weak");
    EXPECT_EQ(reason_of(oct(32, R"(,"alg":"RS256")")), "jwk_bad");
    EXPECT_EQ(reason_of(oct(32, R"(,"alg":"A256KW")")), "jwk_bad");
}

TEST(Jwks, NeedsAKidThatIsAStringOfSomeLength) {
    for (const char* kid : {"\"\"", "1", "null", "[]"}) {
        EXPECT_EQ(reason_of(key(kEcMembers, "\"kid\":" + std::string(kid))), "jwk_bad") << kid;
    }
}

TEST(Jwks, NeedsStrictMembers) {
    const auto with = [](std::string jwk, const std::string& from, const std::string& to) {
        const std::size_t at = jwk.find(from);
        EXPECT_NE(at, std::string::npos);
        return reason_of(jwk.replace(at, from.size(), to));
    };
    const std::string ec = key(kEcMembers);
    EXPECT_EQ(with(ec, "VEU\"", "VEU=\""), "jwk_bad");
    EXPECT_EQ(with(ec, "x_FEz", "x/FEz"), "jwk_bad");
    EXPECT_EQ(with(ec, "5a0\"", "5a1\""), "jwk_bad");
    EXPECT_EQ(with(ec, "5a0\"", "\""), "jwk_bad");
    EXPECT_EQ(with(ec, "P-256", "P-384"), "jwk_bad");
    EXPECT_EQ(with(ec, "P-256", "secp256k1"), "jwk_bad");
    EXPECT_EQ(with(ec, "\"crv\":\"P-256\",", ""), "jwk_bad");
    EXPECT_EQ(with(ec, "P-256", "Ed25519"), "jwk_bad");
    EXPECT_EQ(with(ec, "\"kty\":\"EC\"", "\"kty\":\"RSA\""), "jwk_bad");
    EXPECT_EQ(with(ec, "\"kty\":\"EC\"", "\"kty\":\"ec\""), "jwk_bad");
    EXPECT_EQ(with(ec, "\"kty\":\"EC\"", "\"kty\":1"), "jwk_bad");
    EXPECT_EQ(with(ec, ",\"y\"", ",\"z\""), "jwk_bad");
    const std::string okp = key(kOkpMembers);
    EXPECT_EQ(with(okp, "URo\"", "URo=\""), "jwk_bad");
    EXPECT_EQ(with(okp, "\"x\"", "\"z\""), "jwk_bad");
    EXPECT_EQ(with(okp, "Ed25519", "X25519"), "jwk_bad");
    EXPECT_EQ(with(okp, "Ed25519", "Ed448"), "jwk_bad");
    EXPECT_EQ(with(rsa(256), "AQAB", "AAEAAQ"), "jwk_bad");
    EXPECT_EQ(with(rsa(256), "AQAB", "AQ"), "jwk_weak");
    EXPECT_EQ(with(rsa(256), "\"n\"", "\"m\""), "jwk_bad");
    EXPECT_EQ(with(oct(32), "\"k\"", "\"j\""), "jwk_bad");
    EXPECT_EQ(reason_of(oct(31)), "jwk_weak");
    EXPECT_EQ(reason_of(oct(0)), "jwk_weak");
    EXPECT_EQ(reason_of(R"({"kty":"oct","k":1})"), "jwk_bad");
    EXPECT_EQ(reason_of(R"({"kty":"oct","k":"=="})"), "jwk_bad");
}

TEST(Jwks, RefusesTwoKeysWithOneKid) {
    const std::string a = key(kEcMembers, R"("kid":"k")");
    const std::string b = key(kOkpMembers, R"("kid":"k")");
    EXPECT_EQ(reason_of(set_of(a + "," + b)), "jwks_bad");
    // A broken key counts, before and after; one that is not for signatures does not.
    const std::string broken = R"({"kty":"RSA","kid":"k"})";
    EXPECT_EQ(reason_of(set_of(a + "," + broken)), "jwks_bad");
    EXPECT_EQ(reason_of(set_of(broken + "," + a)), "jwks_bad");
    const std::string other_use = key(kOkpMembers, R"("kid":"k","use":"enc")");
    EXPECT_EQ(reason_of(set_of(other_use + "," + a)), "");
    EXPECT_EQ(reason_of(set_of(a + "," + other_use)), "");
    EXPECT_EQ(reason_of(set_of(key(kEcMembers) + "," + key(kOkpMembers))), "");
}

TEST(Jwks, RefusesSecretsBesideAsymmetricKeys) {
    EXPECT_EQ(reason_of(set_of(oct(32) + "," + key(kEcMembers))), "jwks_bad");
    EXPECT_EQ(reason_of(set_of(key(kEcMembers) + "," + oct(32))), "jwks_bad");
    EXPECT_EQ(reason_of(set_of(oct(32, R"(,"use":"enc")") + "," + key(kEcMembers))), "");
}

TEST(Jwks, ByUrlNeverBringSecrets) {
    EXPECT_EQ(Loaded(set_of(oct(64)), JwksOrigin::kUrl).reason, "jwks_bad");
    EXPECT_EQ(Loaded(set_of(oct(64) + "," + key(kEcMembers)), JwksOrigin::kUrl).reason, "jwks_bad");
    EXPECT_EQ(Loaded(set_of(key(kEcMembers)), JwksOrigin::kUrl).reason, "");
}

TEST(Jwks, WarnsOfPrivateMembersAndUsesThePublicOnes) {
    const Loaded set(set_of(key(kEcMembers, R"("kid":"e","d":"AA")") + "," +
                            key(kOkpMembers, R"("d":"AA")") + "," + rsa(256)));
    EXPECT_EQ(set.reason, "");
    EXPECT_EQ(set.keys.keys().size(), 3u);
    ASSERT_EQ(set.keys.warnings().size(), 2u);
    EXPECT_EQ(set.keys.warnings()[0], "key \"e\" carries private members; they are ignored");
    EXPECT_EQ(set.keys.warnings()[1],
              "a key without kid carries private members; they are ignored");
}

TEST(KeySet, StaysAsItWasWhenADocumentIsRefused) {
    Loaded set(set_of(key(kEcMembers, R"("kid":"e")")));
    EXPECT_FALSE(
        set.keys.add_jwks(set_of(key(kOkpMembers) + "," + key(kOkpMembers, R"("kid":"e")"))));
    EXPECT_FALSE(set.keys.add_jwks(set_of(oct(32))));
    EXPECT_FALSE(set.keys.add_jwks(set_of(rsa(128))));
    EXPECT_EQ(set.keys.keys().size(), 1u);
    EXPECT_TRUE(set.keys.skipped().empty());
    EXPECT_TRUE(set.keys.add_jwks(set_of(key(kOkpMembers))));
    EXPECT_EQ(set.keys.keys().size(), 2u);
}

TEST(KeySet, TakesPemAndNarrowsIt) {
    KeySet keys;
    EXPECT_TRUE(keys.add_pem(test::kRsaPublic, "r", {crypto::Alg::kPS256}));
    EXPECT_EQ(keys.find("r")->algs.names(), "PS256");
    EXPECT_TRUE(keys.add_pem(test::kP256Public, "", {}));
    EXPECT_EQ(keys.add_pem(test::kRsaPublic, "r", {}).error().reason, Reason::kJwksBad);
    EXPECT_EQ(keys.add_pem(test::kP256Public, "x", {crypto::Alg::kRS256}).error().reason,
              Reason::kJwkBad);
    EXPECT_EQ(keys.add_pem(test::kRsa1024Public, "x", {}).error().reason, Reason::kJwkWeak);
    EXPECT_EQ(keys.add_pem(test::kRsaPrivate, "x", {}).error().reason, Reason::kJwkBad);
    EXPECT_EQ(keys.add_secret(ByteVector(64, 1), "x", {}).error().reason, Reason::kJwksBad);
    EXPECT_EQ(keys.keys().size(), 2u);
}

TEST(KeySet, TakesSecretsThatAreLongEnoughForTheirAlgorithms) {
    const auto reason = [](std::size_t size, crypto::AlgSet algs) {
        KeySet keys;
        const auto status = keys.add_secret(ByteVector(size, 1), "", algs);
        return std::string(status ? "" : code(status.error().reason));
    };
    using crypto::Alg;
    EXPECT_EQ(reason(32, {}), "");
    EXPECT_EQ(reason(32, {Alg::kHS256}), "");
    EXPECT_EQ(reason(32, {Alg::kHS256, Alg::kHS512}), "jwk_weak");
    EXPECT_EQ(reason(63, {Alg::kHS512}), "jwk_weak");
    EXPECT_EQ(reason(64, {Alg::kHS512}), "");
    EXPECT_EQ(reason(31, {}), "jwk_weak");
    EXPECT_EQ(reason(64, {Alg::kRS256}), "jwk_bad");
    KeySet keys;
    EXPECT_TRUE(keys.add_secret(ByteVector(64, 1), "", {Alg::kHS512}));
    EXPECT_TRUE(keys.add_secret(ByteVector(32, 2), "", {}));
    EXPECT_EQ(keys.algs().names(), "HS256 HS512");
}

}  // namespace
}  // namespace gate::jose
