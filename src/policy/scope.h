// Scopes and the wildcard patterns that operators may write for them. A scope is parts joined by
// ':'.
#pragma once

#include <string_view>

namespace gate::policy {

// In a pattern '*' stands for exactly one part, and as the last part for one or more: "*",
// "orders:*", "*:read", "proxy:*:view". Everything else matches byte for byte. An empty scope never
// matches, and a scope that itself holds '*' matches only an equal pattern.
bool scope_pattern_matches(std::string_view pattern, std::string_view scope) noexcept;

// A value from a request variable may not be empty or hold '*' or ':' (it could widen what it
// names).
bool is_safe_variable_part(std::string_view value) noexcept;

}  // namespace gate::policy
