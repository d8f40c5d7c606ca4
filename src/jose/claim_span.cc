#include "jose/claim_span.h"

#include <cstddef>
#include <optional>

namespace gate::jose {

namespace {

// Walks text that is known to be JSON: nothing is judged, and nothing runs past the end.
class Scanner {
public:
    explicit Scanner(std::string_view text) : text_(text) {}

    void skip_blanks() noexcept {
        while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
    }

    bool take(char c) noexcept {
        skip_blanks();
        if (at_ >= text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }

    // A string with its quotes.
    std::string_view string() noexcept {
        skip_blanks();
        const std::size_t start = at_;
        if (!take('"')) return {};
        while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
        at_ = at_ < text_.size() ? at_ + 1 : text_.size();
        return text_.substr(start, at_ - start);
    }

    std::string_view value() noexcept {
        skip_blanks();
        const std::size_t start = at_;
        std::size_t depth = 0;
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (c == '"') {
                string();
            } else if (c == '{' || c == '[') {
                ++depth;
                ++at_;
            } else if (c == '}' || c == ']') {
                if (depth == 0) break;
                --depth;
                ++at_;
            } else if (depth == 0 && (c == ',' || is_blank(c))) {
                break;
            } else {
                ++at_;
                continue;
            }
            if (depth == 0) break;
        }
        return text_.substr(start, at_ - start);
    }

private:
    static bool is_blank(char c) noexcept {
        return c == ' ' || c == '\t' || c == '\r' || c == '\n';
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

// nullopt: a name with escapes hides what is there.
std::optional<std::string_view> member(std::string_view object, std::string_view name) noexcept {
    Scanner scanner(object);
    if (!scanner.take('{')) return std::string_view();
    std::string_view found;
    do {
        const std::string_view quoted = scanner.string();
        if (quoted.size() < 2 || !scanner.take(':')) break;
        if (quoted.find('\\') != std::string_view::npos) return std::nullopt;
        const std::string_view value = scanner.value();
        if (quoted.substr(1, quoted.size() - 2) == name) found = value;
    } while (scanner.take(','));
    return found;
}

}  // namespace

std::string_view claim_text(std::string_view object, std::string_view path) noexcept {
    const auto whole = member(object, path);
    if (!whole || !whole->empty()) return whole.value_or(std::string_view());
    std::string_view here = object;
    for (std::size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.')) {
        here = member(here, path.substr(0, dot)).value_or(std::string_view());
        path.remove_prefix(dot + 1);
    }
    return member(here, path).value_or(std::string_view());
}

}  // namespace gate::jose
