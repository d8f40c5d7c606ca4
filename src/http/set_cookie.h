// The Set-Cookie header (RFC 6265bis section 4.1): what servers may send, no more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace gate::http {

enum class SameSite : std::uint8_t { kLax, kStrict, kNone };

// "Lax", "Strict", "None".
std::string_view name_of(SameSite same_site) noexcept;
// In any case.
std::optional<SameSite> find_same_site(std::string_view name) noexcept;

struct CookieSettings {
    std::string name;
    std::string path = "/";
    std::string domain{};  // "": only the host that sets it
    SameSite same_site = SameSite::kLax;
    bool secure = true;
};

// Octets of a name and a value together that a browser keeps (RFC 6265bis section 5.6).
inline constexpr std::size_t kMaxCookie = 4096;

// What a browser would make of a cookie with these settings, where that is not what they say: a
// sentence with the remedy, for the operator; "" when all is well. The prefixes "__Host-" and
// "__Secure-" count in any case.
std::string cookie_problem(const CookieSettings& settings);

// The header's value, always HttpOnly; the settings have no problem. nullopt for a value that has
// other than cookie octets (RFC 6265bis section 4.1.1) or is too long. Without `max_age` the cookie
// lives as long as the browser runs; 0 or less removes it.
std::optional<std::string> set_cookie(const CookieSettings& settings, std::string_view value,
                                      std::optional<Seconds> max_age);

}  // namespace gate::http
