#include "tests/mutate/tokens.h"

#include <cstdio>
#include <cstdlib>

#include "base/base64url.h"
#include "jose/signer.h"
#include "tests/fuzz/test_keys.h"

namespace gate::mutate {

namespace {

using crypto::Alg;

constexpr std::string_view kPayload =
    R"({"iss":"https://idp.test","aud":["orders","billing"],"sub":"alice","exp":4102444800,)"
    R"("iat":1700000000,"nbf":1700000000,"scope":"orders:read orders:write","roles":["staff"]})";

void must(bool good, const char* what) {
    if (good) return;
    std::fprintf(stderr, "mutate: cannot %s\n", what);
    std::exit(2);
}

std::shared_ptr<crypto::SigningKey> signing_key(std::string_view jwk) {
    const auto document = jose::Document::parse(jwk);
    must(static_cast<bool>(document), "parse a key");
    auto key = jose::read_signing_jwk(document->root());
    must(static_cast<bool>(key), "read a key");
    return *key;
}

// Keys of nobody who signs, under the kids of those who do.
void add_strangers(jose::KeySet& keys, jose::KeySet& secrets) {
    must(static_cast<bool>(keys.add_jwks(test::kStrangerJwks)), "add strange keys");
    const std::string k = base64url_encode(bytes_of(std::string(64, 'Z') + "not the secret"));
    must(static_cast<bool>(secrets.add_jwks(R"({"kty":"oct","kid":"oct","k":")" + k + "\"}")),
         "add a strange secret");
}

}  // namespace

World::World()
    : rsa(signing_key(test::kRsaJwk)),
      ec(signing_key(test::kEcJwk)),
      ed(signing_key(test::kEdJwk)),
      oct(signing_key(test::kOctJwk)) {
    for (const std::string_view jwk : {test::kRsaJwk, test::kEcJwk, test::kEdJwk})
        must(static_cast<bool>(asymmetric.add_jwks(jwk)), "add a public key");
    must(static_cast<bool>(secret.add_jwks(test::kOctJwk)), "add the secret");
    add_strangers(strangers, strange_secret);
    issuer.iss = "https://idp.test";
    issuer.audiences = {"orders"};
    issuer.algorithms = crypto::AlgSet::all();
    const auto jwk = jose::Document::parse(test::kRsaJwk);
    public_octets = std::string(jwk->root().member("n").string().value_or(""));
    add(*rsa, Alg::kRS256, "rsa", asymmetric);
    add(*ec, Alg::kES256, "ec", asymmetric);
    add(*ed, Alg::kEdDSA, "ed", asymmetric);
    add(*oct, Alg::kHS256, "oct", secret);
    add(*rsa, Alg::kPS256, "rsa", asymmetric);
}

void World::add(const crypto::SigningKey& key, Alg alg, std::string_view kid,
                const jose::KeySet& keys) {
    const std::string name(crypto::info(alg).name);
    for (const bool with : {true, false}) {
        std::string header = R"({"alg":")" + name + R"(","typ":"JWT")";
        if (with) header += R"(,"kid":")" + std::string(kid) + '"';
        const auto text = jose::sign_compact(key, alg, header + '}', kPayload);
        must(text.has_value(), "sign");
        valid.push_back({name + (with ? "" : " without kid"), *text, &keys, alg});
        texts.insert(*text);
    }
}

}  // namespace gate::mutate
