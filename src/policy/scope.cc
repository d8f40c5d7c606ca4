#include "policy/scope.h"

#include <cstddef>

namespace gate::policy {

namespace {

// Parts of a text joined by ':'; "" has one empty part.
class Parts {
public:
    explicit Parts(std::string_view text) : rest_(text) {}

    bool done() const noexcept { return done_; }
    bool on_last() const noexcept { return rest_.find(':') == std::string_view::npos; }
    std::string_view next() noexcept {
        const std::size_t end = rest_.find(':');
        const std::string_view part = rest_.substr(0, end);
        done_ = end == std::string_view::npos;
        rest_.remove_prefix(done_ ? rest_.size() : end + 1);
        return part;
    }

private:
    std::string_view rest_;
    bool done_ = false;
};

bool no_part_is_empty(Parts parts) noexcept {
    while (!parts.done()) {
        if (parts.next().empty()) return false;
    }
    return true;
}

}  // namespace

bool scope_pattern_matches(std::string_view pattern, std::string_view scope) noexcept {
    if (scope.empty()) return false;
    if (scope.find('*') != std::string_view::npos) return pattern == scope;

    Parts wanted(pattern);
    Parts given(scope);
    while (!wanted.done() && !given.done()) {
        const bool last = wanted.on_last();
        const std::string_view part = wanted.next();
        if (part == "*" && last) return no_part_is_empty(given);
        const std::string_view value = given.next();
        if (part == "*" ? value.empty() : part != value) return false;
    }
    return wanted.done() && given.done();
}

bool is_safe_variable_part(std::string_view value) noexcept {
    return !value.empty() && value.find_first_of("*:") == std::string_view::npos;
}

}  // namespace gate::policy
