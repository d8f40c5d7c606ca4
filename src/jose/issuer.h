// What one trust domain demands of its tokens: a gate_issuer block as data.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "crypto/alg.h"

namespace gate::jose {

inline constexpr Seconds kMaxLeeway = 300;
// "typ" of a refresh token that this project makes; without a "type" that names it, a token of this
// type is refused.
inline constexpr std::string_view kRefreshType = "rt+jwt";
inline constexpr Seconds kMaxNumericDate = Seconds{1} << 53;

// Claims of this list are tried in order; the first one present counts, alone.
using ClaimNames = std::vector<std::string>;

// "sign": the tokens that the issuer makes here.
struct Signing {
    Seconds access = 3600;     // from "iat" to "exp" of an access token
    Seconds refresh = 0;       // the same of a refresh token; 0: there are none
    std::string kid;           // of the key that signs; empty: the first that can
    bool tells_login = false;  // access tokens have "auth_time" too: they are good for new ones
    std::string where = {};    // "nginx.conf:12"
};

struct Issuer {
    std::string name;                // of the block
    std::optional<std::string> iss;  // nullopt: "issuer off", tokens without iss
    crypto::AlgSet algorithms{crypto::Alg::kRS256, crypto::Alg::kPS256, crypto::Alg::kES256,
                              crypto::Alg::kEdDSA};
    bool audience_off = false;
    std::vector<std::string> audiences;  // one of them must be in "aud"
    std::vector<std::string> types;      // allowed "typ"; empty: any
    Seconds leeway_exp = 0;
    Seconds leeway_nbf = 10;
    Seconds leeway_iat = 10;
    bool require_exp = true;
    Seconds max_lifetime = 0;  // exp - iat; 0: no limit
    std::vector<std::string> require_claims;
    ClaimNames subject_claim{"sub"};
    ClaimNames client_claim{"client_id", "azp"};
    ClaimNames scope_claim{"scope", "scp", "permissions"};
    ClaimNames role_claim{"roles", "role"};
    ClaimNames group_claim{"groups"};
    std::optional<Signing> signing;  // nullopt: its tokens are made elsewhere
};

}  // namespace gate::jose
