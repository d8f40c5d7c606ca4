// A person who may log in with a password: the hash of it, never the password, and what the person
// may do. The JSON form is the same in files and in Redis (field by field).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "jose/json.h"

namespace gate::users {

enum class UserStatus : std::uint8_t { kActive, kDisabled };

// "active", "disabled".
std::string_view name_of(UserStatus status) noexcept;

inline constexpr std::size_t kMaxName = 256;  // octets

// What is wrong with a user's name, a sentence about "a name"; nullopt when it is good: 1 to
// kMaxName octets of UTF-8 without control characters and without ':', which Basic could not carry
// (RFC 7617 section 2).
std::optional<std::string> name_problem(std::string_view name);

struct User {
    static constexpr int kVersion = 1;

    std::string name;
    std::string password;  // its hash, one that usable_hash() is content with
    std::vector<std::string> roles;
    std::vector<std::string> scopes;  // wildcards count here: the operator wrote them
    std::vector<std::string> groups;
    std::string email;
    UserStatus status = UserStatus::kActive;
    Seconds created = 0;    // 0: not told
    jose::Document labels;  // an object of the operator's own; its members are the user's claims

    // name and password must be there; status may be missing (active). Any member that is not of
    // this record refuses it (an operator's typing error must not widen anything). Instants are
    // RFC 3339 in UTC, or Unix seconds. Errors are sentences without values, which may be hashes in
    // the wrong place: "member \"status\" is wrong; expected active or disabled".
    static Result<User, std::string> from_json(jose::Value object);
    // One line, with the hash; members without a value are left out, instants are RFC 3339.
    std::string to_json() const;
};

}  // namespace gate::users
