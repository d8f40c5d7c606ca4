// The public keys of an issuer as a JWK Set (RFC 7517 section 5), for those who verify its tokens
// themselves.
#pragma once

#include <string>

#include "crypto/alg.h"
#include "jose/key_set.h"

namespace gate::jose {

inline constexpr const char* kJwkSetType = "application/jwk-set+json";  // RFC 7517 section 8.5.2

// {"keys":[..]} of the keys that may serve one of `allowed`, in the set's order, each with "use"
// and, where only one algorithm remains for it, "alg". A secret is never among them.
std::string public_jwks(const KeySet& keys, crypto::AlgSet allowed);

}  // namespace gate::jose
