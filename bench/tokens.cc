#include "bench/tokens.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>

#include <cstdio>
#include <cstdlib>

#include "base/base64url.h"
#include "crypto/openssl_ptr.h"
#include "jose/signer.h"
#include "tests/fuzz/test_keys.h"

namespace gate::bench {

namespace {

using crypto::Alg;
using crypto::Family;

void must(bool good, const char* what) {
    if (good) return;
    std::fprintf(stderr, "bench: cannot %s\n", what);
    std::exit(2);
}

std::string_view jwk_of(Alg alg) {
    switch (crypto::info(alg).family) {
        case Family::kRsa:
            return test::kRsaJwk;
        case Family::kEc:
            return test::kEcJwk;
        case Family::kOkp:
            return test::kEdJwk;
        case Family::kOct:
            break;
    }
    return test::kOctJwk;
}

// What an identity provider writes, with a number that makes it one of its kind and `pad`
// characters more.
std::string payload_of(std::size_t number, std::size_t pad) {
    return R"({"iss":"https://idp.example.com/realms/corp","aud":["orders","billing"],)"
           R"("sub":"f:0a6b1c52:)" +
           std::to_string(100000 + number) +
           R"(","exp":4102444800,"iat":1700000000,"nbf":1700000000,"jti":"c2b7a5)" +
           std::to_string(1000000 + number) +
           R"(","azp":"web","scope":"openid orders:read orders:write","roles":["staff","editor"],)"
           R"("name":")" +
           std::string(pad, 'n') + "\"}";
}

ByteVector der_of(Bytes jws) {
    const std::size_t half = jws.size() / 2;
    ECDSA_SIG* sig = ECDSA_SIG_new();
    ECDSA_SIG_set0(sig, BN_bin2bn(jws.data(), static_cast<int>(half), nullptr),
                   BN_bin2bn(jws.data() + half, static_cast<int>(half), nullptr));
    unsigned char* der = nullptr;
    const int size = i2d_ECDSA_SIG(sig, &der);
    must(size > 0, "convert a signature");
    ByteVector out(der, der + size);
    OPENSSL_free(der);
    ECDSA_SIG_free(sig);
    return out;
}

ByteVector member(const jose::Document& jwk, const char* name) {
    return base64url_decode(jwk.root().member(name).string().value_or("")).value_or(ByteVector());
}

EVP_PKEY* from_params(const char* type, OSSL_PARAM_BLD* builder) {
    OSSL_PARAM* params = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX* ctx = EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr);
    EVP_PKEY* key = nullptr;
    must(ctx != nullptr && EVP_PKEY_fromdata_init(ctx) == 1 &&
             EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) == 1,
         "make the raw key");
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    return key;
}

}  // namespace

Suite::Suite(Alg alg, std::size_t count) : alg_(alg) {
    const std::string_view jwk = jwk_of(alg);
    const auto document = jose::Document::parse(jwk);
    must(static_cast<bool>(document), "parse the key");
    kid_ = document->root().member("kid").string().value_or("");
    auto key = jose::read_signing_jwk(document->root());
    must(static_cast<bool>(key), "read the key");
    key_ = *key;

    auto keys = std::make_shared<jose::KeySet>();
    must(static_cast<bool>(keys->add_jwks(jwk)), "load the key");
    issuer_.name = "corp";
    issuer_.iss = "https://idp.example.com/realms/corp";
    issuer_.audiences = {"orders"};
    issuer_.algorithms = {alg};
    trusted_ = {&issuer_, std::move(keys), nullptr};
    make_raw_key(jwk);
    make_samples(count);
}

void Suite::make_raw_key(std::string_view jwk_text) {
    const auto document = jose::Document::parse(jwk_text);
    const jose::Document& jwk = *document;
    const Family family = crypto::info(alg_).family;
    if (family == Family::kOct) {
        raw_secret_ = member(jwk, "k");
    } else if (family == Family::kOkp) {
        const ByteVector x = member(jwk, "x");
        raw_key_.reset(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, x.data(), x.size()));
    } else if (family == Family::kEc) {
        ByteVector point{4};
        for (const char* name : {"x", "y"}) {
            const ByteVector octets = member(jwk, name);
            point.insert(point.end(), octets.begin(), octets.end());
        }
        OSSL_PARAM_BLD* builder = OSSL_PARAM_BLD_new();
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                         point.size());
        raw_key_.reset(from_params("EC", builder));
    } else {
        const ByteVector n = member(jwk, "n"), e = member(jwk, "e");
        const crypto::BignumPtr modulus(BN_bin2bn(n.data(), static_cast<int>(n.size()), nullptr));
        const crypto::BignumPtr exponent(BN_bin2bn(e.data(), static_cast<int>(e.size()), nullptr));
        OSSL_PARAM_BLD* builder = OSSL_PARAM_BLD_new();
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus.get());
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent.get());
        raw_key_.reset(from_params("RSA", builder));
    }
    must(raw_key_ != nullptr || !raw_secret_.empty(), "make the raw key");
}

void Suite::make_samples(std::size_t count) {
    const std::string base = R"({"alg":")" + std::string(crypto::info(alg_).name) +
                             R"(","typ":"at+jwt","kid":")" + kid_ + "\"";
    std::string header;
    std::size_t pad = 0;
    std::string token;
    // Some sizes no payload gives, as three octets are four characters: a blank in the header
    // helps.
    for (std::size_t i = 0; token.size() != kTokenSize; ++i) {
        must(i < 4 * kTokenSize, "make a token of the size");
        header = base + std::string(i % 3, ' ') + '}';
        pad = i / 3;
        token = *jose::sign_compact(*key_, alg_, header, payload_of(0, pad));
    }
    for (std::size_t i = 0; i < count; ++i) {
        token = *jose::sign_compact(*key_, alg_, header, payload_of(i, pad));
        const std::size_t dot = token.rfind('.');
        ByteVector signature = *base64url_decode(std::string_view(token).substr(dot + 1));
        if (crypto::info(alg_).family == Family::kEc) signature = der_of(signature);
        Sample sample{token, token.substr(0, dot), std::move(signature)};
        must(gate_accepts(sample), "have the gate accept a token");
        must(raw_accepts(sample), "have OpenSSL accept a token");
        samples_.push_back(std::move(sample));
    }
}

bool Suite::gate_accepts(const Sample& sample) const {
    policy::Request request;
    request.credential = {policy::CredentialKind::kJwt, sample.token};
    const policy::TrustedIssuer* const issuer = &trusted_;
    request.issuers = {&issuer, 1};
    request.now = kNow;
    request.headers = &headers_;  // as a worker does
    return std::holds_alternative<policy::Verified>(policy::Authentication(request).start());
}

bool Suite::raw_accepts(const Sample& sample) const {
    const Bytes input = bytes_of(sample.signing_input);
    const Bytes signature = sample.signature;
    if (!raw_key_) {
        unsigned char mac[EVP_MAX_MD_SIZE];
        unsigned size = 0;
        HMAC(EVP_sha256(), raw_secret_.data(), static_cast<int>(raw_secret_.size()), input.data(),
             input.size(), mac, &size);
        return size == signature.size() && CRYPTO_memcmp(mac, signature.data(), size) == 0;
    }
    const EVP_MD* md = crypto::info(alg_).family == Family::kOkp ? nullptr : EVP_sha256();
    EVP_MD_CTX* ctx = EVP_MD_CTX_new();
    const bool good =
        EVP_DigestVerifyInit(ctx, nullptr, md, nullptr, raw_key_.get()) == 1 &&
        EVP_DigestVerify(ctx, signature.data(), signature.size(), input.data(), input.size()) == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}

}  // namespace gate::bench
