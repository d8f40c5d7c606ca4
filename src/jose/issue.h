// Tokens that an issuer makes itself (RFC 7519): an access token, and a refresh token that is good
// for the next pair.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "jose/issuer.h"
#include "jose/key_set.h"

namespace gate::jose {

// Whom a token speaks of.
struct Grant {
    std::string subject;
    std::string session = {};   // "sid"; empty: none
    Seconds session_began = 0;  // "auth_time" (OpenID Connect Core section 2)
    std::string claims = "{}";  // a JSON object; none of its members may be one of kOwnClaims
};

// What the issuer itself says in each token that it makes.
inline constexpr std::string_view kOwnClaims[] = {"iss", "sub", "aud", "exp",      "nbf",
                                                  "iat", "jti", "sid", "auth_time"};

struct NewToken {
    std::string text;
    std::string jti;
    Seconds expires;
};

// 128 random bits as base64url; nullopt when the machine has no entropy.
std::optional<std::string> random_identifier();

// The key that signs by issuer.signing; nullptr: the set has none.
const SetKey* signing_key(const KeySet& keys, const Issuer& issuer) noexcept;

// Header: alg, typ (the first of issuer.types, or JWT), kid if the key has one. Claims: iss and aud
// as the issuer demands them, sub, iat, exp, a random jti, sid, and the grant's; auth_time where
// issuer.signing asks for it. nullopt: no key signs, or OpenSSL fails.
std::optional<NewToken> issue_access_token(const KeySet& keys, const Issuer& issuer,
                                           const Grant& grant, Seconds now);

// The same with typ "rt+jwt", with auth_time, and without the grant's claims; it expires no later
// than `latest`.
std::optional<NewToken> issue_refresh_token(const KeySet& keys, const Issuer& issuer,
                                            const Grant& grant, Seconds now, Seconds latest);

// What `issuer` demands of a refresh token that it made.
Issuer refresh_rules(const Issuer& issuer);

}  // namespace gate::jose
