// Distinct tokens of one size, and what the gate and OpenSSL alone need to judge them.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "crypto/sign.h"
#include "jose/issuer.h"
#include "jose/key_set.h"
#include "policy/engine.h"

namespace gate::bench {

inline constexpr Seconds kNow = 1800000000;
inline constexpr std::size_t kTokenSize = 860;

// One token as a client sends it, and taken apart for the raw verification.
struct Sample {
    std::string token;
    std::string signing_input;
    ByteVector signature;  // DER for ECDSA: the form that OpenSSL takes
};

class Suite {
public:
    // `name` is that of a JWS algorithm; "EdDSA" is Ed25519. Ends the program if anything fails.
    Suite(crypto::Alg alg, std::size_t count);

    crypto::Alg alg() const { return alg_; }
    const std::vector<Sample>& samples() const { return samples_; }

    // Parsing, payload, judgement and principal: what a request costs that carries this token.
    bool gate_accepts(const Sample& sample) const;

    // One-shot EVP_DigestVerify (HMAC and comparison for HS*) of the same octets.
    bool raw_accepts(const Sample& sample) const;

private:
    void make_samples(std::size_t count);
    void make_raw_key(std::string_view jwk);

    struct FreeKey {
        void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    };

    crypto::Alg alg_;
    std::shared_ptr<crypto::SigningKey> key_;
    std::string kid_;
    jose::Issuer issuer_;
    policy::TrustedIssuer trusted_;
    std::unique_ptr<EVP_PKEY, FreeKey> raw_key_;
    ByteVector raw_secret_;
    std::vector<Sample> samples_;
    mutable jose::HeaderCache headers_;
};

}  // namespace gate::bench
