// Characters of protocols: ASCII only, whatever the locale says.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace gate {

constexpr char ascii_lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

inline std::string ascii_lower(std::string_view text) {
    std::string lower(text);
    for (char& c : lower) c = ascii_lower(c);
    return lower;
}

constexpr bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
    return std::ranges::equal(a, b,
                              [](char x, char y) { return ascii_lower(x) == ascii_lower(y); });
}

// 0 exactly where no octet of the word is `octet`.
constexpr std::uint64_t octet_in(std::uint64_t word, std::uint8_t octet) noexcept {
    constexpr std::uint64_t kOnes = 0x0101010101010101;
    const std::uint64_t zero_there = word ^ kOnes * octet;
    return (zero_there - kOnes) & ~zero_there & kOnes << 7;
}

// Whether any octet is below 0x20, or 0x7f. Eight at a time: a word's subtractions borrow out of an
// octet only where that octet is below, and then the answer is yes anyhow.
inline bool has_control_character(std::string_view text) noexcept {
    constexpr std::uint64_t kOnes = 0x0101010101010101;
    constexpr std::uint64_t kHigh = 0x80 * kOnes;
    const auto controls = [](std::uint64_t word) {
        return ((word - 0x20 * kOnes) & ~word & kHigh) | octet_in(word, 0x7f);
    };
    std::uint64_t found = 0;
    while (text.size() >= sizeof found) {
        std::uint64_t word;
        std::memcpy(&word, text.data(), sizeof word);
        found |= controls(word);
        text.remove_prefix(sizeof word);
    }
    std::uint64_t rest = ' ' * kOnes;
    for (const char c : text) rest = rest << 8 | static_cast<std::uint8_t>(c);
    return (found | controls(rest)) != 0;
}

// The value of a hexadecimal digit of either case, or -1.
constexpr int hex_value(char digit) noexcept {
    if (digit >= '0' && digit <= '9') return digit - '0';
    const char lower = ascii_lower(digit);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// So many hexadecimal digits, all in lower case: the one spelling of a digest.
constexpr bool is_lower_hex(std::string_view text, std::size_t digits) noexcept {
    if (text.size() != digits) return false;
    for (const char c : text) {
        if (hex_value(c) < 0 || c != ascii_lower(c)) return false;
    }
    return true;
}

// A character of the names of nginx's variables: a letter, a digit or '_'.
constexpr bool is_word(char c) noexcept {
    const char lower = ascii_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

}  // namespace gate
