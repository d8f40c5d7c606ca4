// A key that verifies JWS signatures. Its family is fixed when it is made and decides, with curve
// and size, which algorithms it may serve; a token's header can only choose among those. Not
// thread-safe: contexts are reused from one verification to the next.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/alg.h"

namespace gate::crypto {

enum class KeyError : std::uint8_t {
    kBad,   // malformed, off the curve, wrong length, not a key
    kWeak,  // RSA outside 2048..8192 bits, bad exponent, ROCA, short secret, small-order point
    kUnsupported,  // a key type or curve that no algorithm here uses
};

struct KeyFault {
    KeyError error;
    std::string detail;  // for people: "RSA modulus shorter than 2048 bits"
};

// What a JWK says of a public key, big-endian: `n` and `e` of RSA (RFC 7518 section 6.3.1), without
// leading zeros; `x` and `y` of EC (section 6.2.1), each of the curve's length; `x` of OKP (RFC
// 8037 section 2). The others are empty.
struct PublicParameters {
    ByteVector n, e, x, y;
};

class VerificationKey;
using KeyResult = Result<std::shared_ptr<VerificationKey>, KeyFault>;

class VerificationKey {
public:
    // HMAC secret; kWeak below 32 octets. Longer secrets serve the longer hashes (RFC 7518 3.2).
    static KeyResult from_secret(Bytes secret);

    // Big-endian modulus and exponent. kWeak: see KeyError; e must be odd, 3 <= e <= 2^33.
    static KeyResult from_rsa(Bytes n, Bytes e);

    // Coordinates of exactly the curve's length; the point must lie on the curve.
    static KeyResult from_ec(Curve curve, Bytes x, Bytes y);

    // RFC 8037 public key octets; small-order points are kWeak.
    static KeyResult from_okp(Curve curve, Bytes x);

    // One PEM block: PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE (its key only; dates are not
    // checked). A private key is kBad: it has no place on a machine that only verifies.
    static KeyResult from_pem(std::string_view pem);

    VerificationKey(const VerificationKey&) = delete;
    VerificationKey& operator=(const VerificationKey&) = delete;
    ~VerificationKey();

    Family family() const noexcept;
    Curve curve() const noexcept;
    unsigned bits() const noexcept;

    // All empty for a secret.
    PublicParameters public_parameters() const;

    // The algorithms this key can serve.
    AlgSet algs() const noexcept;

    // True only for a good signature. False for an algorithm outside algs(), a signature of another
    // length than the algorithm's, ECDSA r or s outside 1..n-1, and for any error inside OpenSSL.
    bool verify(Alg alg, Bytes message, Bytes signature) const noexcept;

private:
    struct Impl;
    explicit VerificationKey(std::unique_ptr<Impl> impl);
    static KeyResult make(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace gate::crypto
