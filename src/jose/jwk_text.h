// Public keys as JSON: the keys of an issuer as a JWK Set (RFC 7517 section 5), for those who
// verify its tokens themselves.
#pragma once

#include <string>

#include "crypto/alg.h"
#include "jose/key_set.h"

namespace gate::jose {

inline constexpr const char* kJwkSetType = "application/jwk-set+json";  // RFC 7517 section 8.5.2

// {"keys":[..]} of the keys that may serve one of `allowed`, in the set's order, each with "use"
// and, where only one algorithm remains for it, "alg". A secret is never among them.
std::string public_jwks(const KeySet& keys, crypto::AlgSet allowed);

// The SHA-256 thumbprint of a public key (RFC 7638), base64url; "" for a secret, of which it would
// tell something.
std::string thumbprint(const crypto::VerificationKey& key);

}  // namespace gate::jose
