// Decimal numbers as Redis writes them.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

namespace gate::redis {

// One spelling for each number: digits only, no '0' in front but of "0" itself; nullopt for
// anything else, and for what 64 bits do not hold.
inline std::optional<std::uint64_t> parse_decimal(std::string_view text) noexcept {
    std::uint64_t value = 0;
    if (text.size() > 1 && text.front() == '0') return std::nullopt;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || rest != end) return std::nullopt;
    return value;
}

}  // namespace gate::redis
