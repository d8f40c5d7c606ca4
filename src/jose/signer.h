// Making tokens: private JWKs (RFC 7517) and the compact form of a JWS.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "crypto/sign.h"
#include "jose/json.h"

namespace gate::jose {

// A private JWK of any kty that signs; "alg", "use" and "key_ops" are not looked at.
crypto::SigningKeyResult read_signing_jwk(Value jwk);

// header "." payload "." signature, of octets as given: that "alg" in `header` tells the truth is
// the caller's business. nullopt where the key cannot sign with `alg`.
std::optional<std::string> sign_compact(const crypto::SigningKey& key, crypto::Alg alg,
                                        std::string_view header, std::string_view payload);

}  // namespace gate::jose
