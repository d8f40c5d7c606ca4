// One JSON Web Key (RFC 7517, RFC 7518 section 6, RFC 8037) turned into a key that verifies,
// strictly: unpadded base64url in one spelling, coordinates of exact length, "use" and "key_ops"
// that allow it.
#pragma once

#include <string>

#include "base/result.h"
#include "jose/json.h"
#include "jose/key_set.h"

namespace gate::jose {

struct PublicJwk {
    SetKey key;
    bool has_private_members;  // of an asymmetric key; they were not looked at
};

// kJwkBad: not an object, unknown kty or alg, alg that does not fit, broken members; kJwkUse: not
// for verifying; kJwkWeak: see crypto::KeyError, or a secret that is publicly known.
Result<PublicJwk, SkippedKey> read_jwk(Value jwk);

// Octets of a base64url member; nullopt when it is absent, no string, empty, or spelled otherwise.
std::optional<ByteVector> octets_member(Value jwk, std::string_view name);

}  // namespace gate::jose
