#include "policy/roles.h"

#include <algorithm>
#include <set>

#include "base/json_text.h"
#include "policy/scope.h"

namespace gate::policy {

namespace {

// A map of this size is a generated one; the closure of each role is kept, so there must be an end.
constexpr std::size_t kMaxRoles = 4096;

std::string quoted(std::string_view name) {
    return json_string(name);
}

// What nginx.conf could hold as one unquoted word.
bool is_word(std::string_view text) noexcept {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        const auto octet = static_cast<std::uint8_t>(c);
        return octet > 0x20 && octet != 0x7f && c != ';' && c != '{' && c != '}' && c != '"' &&
               c != '\'' && c != '\\' && c != '$';
    });
}

// "orders:re*" looks like a pattern but would never match.
bool has_partial_wildcard(std::string_view item) noexcept {
    for (std::size_t at = item.find('*'); at != std::string_view::npos;
         at = item.find('*', at + 1)) {
        const bool starts_part = at == 0 || item[at - 1] == ':';
        const bool ends_part = at + 1 == item.size() || item[at + 1] == ':';
        if (!starts_part || !ends_part) return true;
    }
    return false;
}

// One word, ';', or the end of a text of role lines, with the line it stands in.
struct Word {
    std::string_view text;  // "" at the end
    std::size_t line = 1;
};

class Lexer {
public:
    explicit Lexer(std::string_view text) : rest_(text) {}

    Word next() {
        skip_blanks_and_comments();
        std::size_t size = rest_.starts_with(';') ? 1 : rest_.find_first_of(" \t\r\n;");
        size = std::min(size, rest_.size());
        const Word word{rest_.substr(0, size), line_};
        rest_.remove_prefix(size);
        return word;
    }

private:
    void skip_blanks_and_comments() {
        while (!rest_.empty()) {
            if (rest_.front() == '#') {
                rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size()));
                continue;
            }
            if (rest_.find_first_of(" \t\r\n") != 0) return;
            if (rest_.front() == '\n') ++line_;
            rest_.remove_prefix(1);
        }
    }

    std::string_view rest_;
    std::size_t line_ = 1;
};

Failure<std::string> at_line(std::size_t line, const std::string& problem) {
    return fail("line " + std::to_string(line) + ": " + problem);
}

}  // namespace

Status<std::string> RoleMap::add(std::string_view role, const std::vector<std::string>& items) {
    if (!is_word(role) || role.find('*') != std::string_view::npos) {
        return fail("bad role name " + quoted(role));
    }
    if (roles_.contains(role)) return fail("role " + quoted(role) + " is declared twice");
    if (roles_.size() >= kMaxRoles)
        return fail("more than " + std::to_string(kMaxRoles) + " roles");
    if (items.empty())
        return fail("role " + quoted(role) + " stands for nothing; name scopes or roles");
    for (const std::string& item : items) {
        if (!is_word(item)) return fail("bad item " + quoted(item) + " of role " + quoted(role));
        if (has_partial_wildcard(item)) {
            return fail("bad item " + quoted(item) + " of role " + quoted(role) +
                        "; a '*' must stand alone between colons");
        }
    }
    roles_.emplace(role, Role{items, {}, {}});
    return Done{};
}

// Depth-first, each role once: `path` is the way from the role that was asked for first.
Status<std::string> RoleMap::close(const std::string& name, Role& role,
                                   std::vector<std::string>& path) {
    if (role.closed) return Done{};
    path.push_back(name);
    if (const auto start = std::find(path.begin(), path.end() - 1, name); start != path.end() - 1) {
        std::string cycle;
        for (auto it = start; it != path.end(); ++it) cycle += (it == start ? "" : " -> ") + *it;
        return fail("roles include each other: " + cycle);
    }
    std::set<std::string> patterns;
    std::set<std::string> included;
    for (const std::string& item : role.items) {
        const auto other = roles_.find(item);
        if (other == roles_.end()) {
            patterns.insert(item);
            continue;
        }
        if (auto closed = close(other->first, other->second, path); !closed) return closed;
        included.insert(item);
        included.insert(other->second.included_roles.begin(), other->second.included_roles.end());
        patterns.insert(other->second.patterns.begin(), other->second.patterns.end());
    }
    role.patterns.assign(patterns.begin(), patterns.end());
    role.included_roles.assign(included.begin(), included.end());
    role.closed = true;
    path.pop_back();
    return Done{};
}

Status<std::string> RoleMap::finish() {
    for (auto& [name, role] : roles_) {
        std::vector<std::string> path;
        if (auto closed = close(name, role, path); !closed) return closed;
    }
    return Done{};
}

Result<RoleMap, std::string> RoleMap::parse(std::string_view text) {
    RoleMap map;
    Lexer lexer(text);
    for (Word role = lexer.next(); !role.text.empty(); role = lexer.next()) {
        std::vector<std::string> items;
        Word word = role;
        while (word.text != ";") {
            word = lexer.next();
            if (word.text.empty())
                return at_line(role.line, quoted(role.text) + " is not ended by ';'");
            if (word.text != ";") items.emplace_back(word.text);
        }
        if (auto added = map.add(role.text, items); !added)
            return at_line(role.line, added.error());
    }
    if (auto finished = map.finish(); !finished) return fail(finished.error());
    return map;
}

bool RoleMap::role_grants(std::string_view role, std::string_view scope) const noexcept {
    const auto found = roles_.find(role);
    if (found == roles_.end()) return false;
    const auto& patterns = found->second.patterns;
    return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
        return scope_pattern_matches(pattern, scope);
    });
}

bool RoleMap::role_includes(std::string_view role, std::string_view wanted) const noexcept {
    if (role == wanted) return true;
    const auto found = roles_.find(role);
    if (found == roles_.end()) return false;
    const auto& included = found->second.included_roles;
    return std::binary_search(included.begin(), included.end(), wanted);
}

std::vector<std::string_view> RoleMap::names() const {
    std::vector<std::string_view> names;
    for (const auto& [name, role] : roles_) names.push_back(name);
    return names;
}

}  // namespace gate::policy
