// Key files of other projects, the project's private test keys, and publicly known secrets.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "base/base64url.h"
#include "jose/key_set.h"
#include "jose/signer.h"
#include "tests/support/judge.h"
#include "tests/support/vectors.h"

namespace gate::test {
namespace {

// There are no verdicts: each file loads or is refused for one of the reasons of a key.
void load_all(const std::string& name, std::size_t least_loaded) {
    const Json file = Json::load(name);
    GATE_NEED_VECTORS(file);
    VectorCount count(name, file.size());
    std::size_t loaded = 0;
    for (std::size_t i = 0; i < file.size(); ++i) {
        jose::KeySet keys;
        const auto status = keys.add_jwks(file[i]["jwk"].dump());
        if (status) {
            ++loaded;
            EXPECT_FALSE(keys.algs().empty());
        } else {
            EXPECT_TRUE(keys.keys().empty());
            EXPECT_FALSE(status.error().detail.empty());
            EXPECT_TRUE(code(status.error().reason).starts_with("jwk"));
        }
        count.ran();
    }
    EXPECT_GE(loaded, least_loaded);
    EXPECT_LT(loaded, file.size());
}

TEST(LibjwtKeys, LoadOrAreRefused) {
    load_all("keys/libjwt_keys.json", 20);
}

TEST(PyjwtKeys, LoadOrAreRefused) {
    load_all("keys/pyjwt_keys.json", 5);
}

TEST(PrivateKeys, SignWhatTheirPublicPartVerifies) {
    const Json file = Json::load("own/private_keys.json");
    GATE_NEED_VECTORS(file);
    const Json keys = file["keys"];
    VectorCount count("own/private_keys.json", keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const std::string kid = keys[i]["kid"].text();
        const std::string jwk = keys[i].dump();
        SCOPED_TRACE(kid);
        const auto document = jose::Document::parse(jwk);
        ASSERT_TRUE(document);
        const auto key = jose::read_signing_jwk(document->root());
        const bool usable = kid != "rs1024" && kid != "es256k";
        ASSERT_EQ(static_cast<bool>(key), usable);
        count.ran();
        if (!usable) continue;
        for (std::size_t a = 0; a < crypto::kAlgCount; ++a) {
            const auto alg = static_cast<crypto::Alg>(a);
            const std::string header = R"({"alg":")" + std::string(info(alg).name) + "\"}";
            const auto token = jose::sign_compact(**key, alg, header, R"({"exp":4102444800})");
            ASSERT_EQ(token.has_value(), (*key)->algs().contains(alg));
            if (token) {
                EXPECT_EQ(code(judge_jwt(jwk, *token)), "") << info(alg).name;
            }
        }
    }
}

TEST(KnownSecrets, AreAllRecognised) {
    const Json file = Json::load("secrets/known_public_hmac_secrets_ge32.json");
    GATE_NEED_VECTORS(file);
    VectorCount count("secrets/known_public_hmac_secrets_ge32.json", file.size());
    for (std::size_t i = 0; i < file.size(); ++i) {
        const std::string secret = file[i].text();
        EXPECT_TRUE(jose::is_publicly_known_secret(bytes_of(secret)));
        EXPECT_FALSE(jose::is_publicly_known_secret(bytes_of(secret + "x")));
        jose::KeySet keys;
        const auto status = keys.add_secret(bytes_of(secret), "", {});
        ASSERT_FALSE(status);
        EXPECT_EQ(code(status.error().reason), "jwk_weak");
        const auto as_jwk =
            keys.add_jwks(R"({"kty":"oct","k":")" + base64url_encode(bytes_of(secret)) + "\"}");
        ASSERT_FALSE(as_jwk);
        EXPECT_EQ(code(as_jwk.error().reason), "jwk_weak");
        count.ran();
    }
}

}  // namespace
}  // namespace gate::test
