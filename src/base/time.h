// Time as data: seconds since the epoch come in as parameters, text goes out as RFC 3339.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace gate {

using Seconds = std::int64_t;

// As 32 bits for shared memory, the ends of which it does not pass.
constexpr std::uint32_t saturated(Seconds when) noexcept {
    return static_cast<std::uint32_t>(
        std::clamp<Seconds>(when, 0, std::numeric_limits<std::uint32_t>::max()));
}

// "2026-11-22T13:49:17Z"; years 0 to 9999, anything else is clamped.
std::string rfc3339(Seconds when);

// The instant of an RFC 3339 date-time in UTC ("Z" only, whole seconds); nullopt for any other
// text.
std::optional<Seconds> parse_rfc3339(std::string_view text);

// "90s", "15m", "12h", "30d", "2w", "6M" (30 days), "1y" (365 days) or plain seconds, as nginx
// writes times; nullopt for anything else, or for more than 100 years.
std::optional<Seconds> parse_duration(std::string_view text);

}  // namespace gate
