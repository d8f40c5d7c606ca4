#include "cache/percent_text.h"

#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/ascii.h"

namespace gate::cache {

namespace {

constexpr char kUpperHex[] = "0123456789ABCDEF";

// RFC 3986 section 2.3.
constexpr bool is_unreserved(char c) noexcept {
    return (is_word(c) || c == '-' || c == '.' || c == '~');
}

}  // namespace

void append_encoded(std::string& out, std::string_view text) {
    if (text.empty()) out += '-';
    if (text == "-") {
        out += "%2D";
        return;
    }
    for (const char c : text) {
        if (is_unreserved(c)) {
            out += c;
            continue;
        }
        const auto octet = static_cast<std::uint8_t>(c);
        out += '%';
        out += kUpperHex[octet >> 4];
        out += kUpperHex[octet & 0xf];
    }
}

std::optional<std::string> decoded(std::string_view word) {
    if (word == "-") return std::string();
    if (word == "%2D") return std::string("-");
    std::string text;
    text.reserve(word.size());
    for (std::size_t i = 0; i < word.size(); ++i) {
        if (is_unreserved(word[i])) {
            text += word[i];
            continue;
        }
        if (word[i] != '%' || word.size() - i < 3) return std::nullopt;
        const std::string_view digits = word.substr(i + 1, 2);
        const int octet = hex_value(digits[0]) * 16 + hex_value(digits[1]);
        const auto upper = [](char c) { return hex_value(c) >= 0 && (c < 'a' || c > 'f'); };
        if (!upper(digits[0]) || !upper(digits[1]) || is_unreserved(static_cast<char>(octet))) {
            return std::nullopt;
        }
        text += static_cast<char>(octet);
        i += 2;
    }
    return text.empty() ? std::nullopt : std::optional(std::move(text));
}

}  // namespace gate::cache
