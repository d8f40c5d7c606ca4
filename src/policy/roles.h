// A role map (gate_roles): roles stand for scope patterns and other roles.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace gate::policy {

class RoleMap {
public:
    // Adds one role. Errors (sentences): declared twice, a bad role or item name, no items,
    // a '*' that is not a whole part.
    Status<std::string> add(std::string_view role, const std::vector<std::string>& items);

    // Call once after the last add(): resolves items that name roles, refuses cycles (names the
    // path).
    Status<std::string> finish();

    // One role per line: "role item item ..;" as inside a gate_roles block, '#' comments. Errors
    // name the line.
    static Result<RoleMap, std::string> parse(std::string_view text);

    // Does `role`, directly or through the roles it includes, hold a pattern that matches `scope`?
    bool role_grants(std::string_view role, std::string_view scope) const noexcept;

    // Is `wanted` the same as `role` or one of the roles it includes?
    bool role_includes(std::string_view role, std::string_view wanted) const noexcept;

    std::vector<std::string_view> names() const;

private:
    struct Role {
        std::vector<std::string> items;
        std::vector<std::string> patterns;        // closure
        std::vector<std::string> included_roles;  // closure, sorted, without the role itself
        bool closed = false;                      // both closures are there
    };
    Status<std::string> close(const std::string& name, Role& role, std::vector<std::string>& path);

    std::map<std::string, Role, std::less<>> roles_;
};

}  // namespace gate::policy
