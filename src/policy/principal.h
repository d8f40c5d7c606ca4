// Who a verified credential stands for. Owns what its views point to, so it outlives the
// credential's text and any change of keys.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apikey/record.h"
#include "base/time.h"
#include "jose/json.h"
#include "policy/roles.h"

namespace gate::policy {

enum class CredentialKind : std::uint8_t { kNone, kJwt, kKey, kBasic };

// "jwt", "key", "basic", "none".
std::string_view name_of(CredentialKind kind) noexcept;

struct Principal {
    CredentialKind kind = CredentialKind::kNone;
    std::string source_name;  // of the gate_issuer or gate_keys block
    std::string subject;      // "sub"; the owner of a key
    std::string issuer;       // "iss"
    std::string client;
    std::string key_id;  // kid of a token's key, id of an API key
    std::string key_name;
    std::vector<std::string_view> scopes;
    std::vector<std::string_view> roles;
    std::vector<std::string_view> groups;
    bool scopes_are_patterns = false;  // key records: written by the operator
    std::optional<Seconds> expires;
    jose::Document claims;  // payload of a token, labels of a key
    jose::Document header;  // JOSE header of a token
    std::shared_ptr<const RoleMap> role_map;
    std::shared_ptr<const apikey::Record> record;

    bool has_scope(std::string_view scope) const noexcept;
    bool has_role(std::string_view role) const noexcept;
};

// Octets of an identity value: a claim, or several of them joined.
inline constexpr std::size_t kMaxIdentitySize = 4096;

// RFC 9110 field values and log lines are made from these: joins with `separator`. nullopt when an
// element holds the separator or a control character, or the whole is longer than 4096 octets.
std::optional<std::string> join_identity(const std::vector<std::string_view>& elements,
                                         char separator);

// False for control characters (0x00-0x1f, 0x7f), or more than 4096 octets.
bool is_safe_identity(std::string_view value) noexcept;

}  // namespace gate::policy
