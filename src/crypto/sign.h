// A key that makes JWS signatures. Safe to use in several threads at once.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/alg.h"
#include "crypto/public_key.h"

namespace gate::crypto {

// The members of an RSA private JWK (RFC 7518 section 6.3.2), big-endian; all but two-prime keys
// with every CRT member are kBad.
struct RsaPrivate {
    Bytes n, e, d, p, q, dp, dq, qi;
};

class SigningKey;
using SigningKeyResult = Result<std::shared_ptr<SigningKey>, KeyFault>;

class SigningKey {
public:
    // The same sizes are demanded as of keys that verify: what we sign, we must accept.
    static SigningKeyResult from_secret(Bytes secret);
    static SigningKeyResult from_rsa(const RsaPrivate& members);
    static SigningKeyResult from_ec(Curve curve, Bytes x, Bytes y, Bytes d);
    static SigningKeyResult from_okp(Curve curve, Bytes d);

    // One PEM block with an unencrypted private key: PRIVATE KEY, RSA PRIVATE KEY, EC PRIVATE KEY.
    static SigningKeyResult from_pem(std::string_view pem);

    SigningKey(const SigningKey&) = delete;
    SigningKey& operator=(const SigningKey&) = delete;
    ~SigningKey();

    AlgSet algs() const noexcept;

    // The signature in the form of JWS; nullopt for an algorithm outside algs() or a failure inside
    // OpenSSL.
    std::optional<ByteVector> sign(Alg alg, Bytes message) const;

    // The key that verifies what this one signs.
    const std::shared_ptr<VerificationKey>& verification_key() const noexcept;

private:
    struct Impl;
    explicit SigningKey(std::unique_ptr<Impl> impl);
    static SigningKeyResult make(Impl impl, KeyResult verification);
    std::unique_ptr<Impl> impl_;
};

}  // namespace gate::crypto
