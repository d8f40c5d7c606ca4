// Who a verified credential stands for. Whatever changes of keys and roles, it stays as it was; one
// that was made from a verdict reads the credential's text, which must outlive it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "apikey/record.h"
#include "base/time.h"
#include "jose/json.h"
#include "policy/roles.h"

namespace gate::policy {

enum class CredentialKind : std::uint8_t { kNone, kJwt, kKey, kBasic };

// "jwt", "key", "basic", "none".
std::string_view name_of(CredentialKind kind) noexcept;

// A JSON object that is parsed when somebody asks for it.
class LazyDocument {
public:
    LazyDocument() = default;
    LazyDocument(jose::Document document) : document_(std::move(document)) {}
    // `encoded` is base64url of an object that was parsed before; it must outlive this.
    static LazyDocument of(std::string_view encoded);

    // Throws bad_alloc; never an empty document for want of memory.
    jose::Value root() const;

private:
    mutable jose::Document document_;
    mutable std::string_view encoded_;
};

// join_identity() of a list that does not change any more, made when first asked for.
class JoinedText {
public:
    const std::optional<std::string>& of(std::span<const std::string_view> elements,
                                         char separator) const;

private:
    mutable bool made_ = false;
    mutable std::optional<std::string> text_;
};

using TextList = std::pmr::vector<std::string_view>;

// Lists and text take their memory from where the constructor says.
struct Principal {
    explicit Principal(std::pmr::memory_resource* memory = std::pmr::get_default_resource())
        : scopes(memory), roles(memory), groups(memory), text(memory) {}
    Principal(const Principal&) = delete;
    Principal(Principal&&) = default;

    CredentialKind kind = CredentialKind::kNone;
    std::string_view source_name;  // of the gate_issuer or gate_keys block, which outlives this
    std::string_view subject;      // "sub"; the owner of a key
    std::string_view issuer;       // "iss"
    std::string_view client;
    std::string_view key_name;
    TextList scopes;
    TextList roles;
    TextList groups;
    bool scopes_are_patterns = false;  // key records: written by the operator
    std::optional<Seconds> expires;
    LazyDocument claims;  // payload of a token, labels of a key
    LazyDocument header;  // JOSE header of a token
    std::shared_ptr<const RoleMap> role_map;
    std::shared_ptr<const apikey::Record> record;
    std::pmr::vector<char> text;  // what views point to where nothing else holds it

    // The lists as $gate_scopes, $gate_roles and $gate_groups say them.
    const std::optional<std::string>& scopes_text() const { return joined_[0].of(scopes, ' '); }
    const std::optional<std::string>& roles_text() const { return joined_[1].of(roles, ','); }
    const std::optional<std::string>& groups_text() const { return joined_[2].of(groups, ','); }

    // The kid of a token, the id of an API key.
    std::string_view key_id() const;
    bool has_scope(std::string_view scope) const noexcept;
    bool has_role(std::string_view role) const noexcept;

private:
    std::array<JoinedText, 3> joined_;
};

// Octets of an identity value: a claim, or several of them joined.
inline constexpr std::size_t kMaxIdentitySize = 4096;

// RFC 9110 field values and log lines are made from these: joins with `separator`. nullopt when an
// element holds the separator or a control character, or the whole is longer than 4096 octets.
std::optional<std::string> join_identity(std::span<const std::string_view> elements,
                                         char separator);

// False for control characters (0x00-0x1f, 0x7f), or more than 4096 octets.
bool is_safe_identity(std::string_view value) noexcept;

}  // namespace gate::policy
