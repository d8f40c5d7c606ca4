// The inside of a VerificationKey: shared by the file that makes keys and the one that verifies.
#pragma once

#include <array>
#include <cstddef>
#include <memory>

#include "base/bytes.h"
#include "crypto/alg.h"
#include "crypto/openssl_ptr.h"
#include "crypto/public_key.h"

namespace gate::crypto {

// What one algorithm needs, initialised at its first use and then reused: setting up a context
// costs several microseconds, as much as the rest of the work around an RSA verification.
struct Verifier {
    MdPtr md;
    MdCtxPtr hash;    // message digest (RSA, EC) or EdDSA's own context
    PkeyCtxPtr pkey;  // RSA and EC
    MacCtxPtr mac;    // HMAC
};

struct VerificationKey::Impl {
    Family family = Family::kOct;
    Curve curve = Curve::kNone;
    unsigned bits = 0;
    std::size_t signature_size = 0;  // octets, of the algorithms whose key decides
    AlgSet algs;
    PkeyPtr pkey;
    Secret secret;
    std::array<Verifier, kAlgCount> verifiers;

    bool verify_digest(Alg alg, Bytes message, Bytes signature) noexcept;
    bool verify_eddsa(Bytes message, Bytes signature) noexcept;
    bool verify_hmac(Alg alg, Bytes message, Bytes signature) noexcept;
};

// Name of a hash in OpenSSL; nullptr for kNone.
const char* openssl_name(Hash hash) noexcept;

// Name of a curve in OpenSSL ("prime256v1", "ED25519").
const char* openssl_name(Curve curve) noexcept;

// A key of that type from its parameters; `selection` is EVP_PKEY_PUBLIC_KEY or EVP_PKEY_KEYPAIR.
PkeyPtr key_from_params(const char* type, const OSSL_PARAM* params, int selection);

// An uncompressed point (SEC 1 section 2.3.3), so that no coordinate is derived from the other.
ByteVector uncompressed_point(Bytes x, Bytes y);

// kNone for a key that is on no curve that is known here.
Curve curve_of(const EVP_PKEY* key);

// What cannot be read stays empty.
PublicParameters parameters_of(const EVP_PKEY* key);

// The public part of a key of any origin, through the same checks as the members of a JWK.
KeyResult public_part(const EVP_PKEY* key);

// Sets padding and digests of a context that was just initialised to sign or verify with `alg`.
bool configure_rsa(EVP_PKEY_CTX* ctx, Alg alg, const EVP_MD* md) noexcept;

}  // namespace gate::crypto
