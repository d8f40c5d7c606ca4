#include "http/set_cookie.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "http/token.h"

namespace gate::http {

namespace {

constexpr std::array kSameSites{SameSite::kLax, SameSite::kStrict, SameSite::kNone};

// Octets of the value of Path or Domain that a browser reads (RFC 6265bis section 5.6).
constexpr std::size_t kMaxAttribute = 1024;
constexpr std::size_t kMaxHostName = 253;
constexpr std::size_t kMaxHostLabel = 63;

constexpr bool is_cookie_octet(char c) noexcept {
    return c > ' ' && c < '\x7f' && std::string_view("\",;\\").find(c) == std::string_view::npos;
}

constexpr bool is_path_octet(char c) noexcept {
    return c >= ' ' && c < '\x7f' && c != ';';
}

constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

std::string quoted(std::string_view text) {
    return "\"" + std::string(text) + "\"";
}

bool is_host_label(std::string_view label) noexcept {
    return !label.empty() && label.size() <= kMaxHostLabel && label.front() != '-' &&
           label.back() != '-' &&
           std::ranges::all_of(label, [](char c) { return c == '-' || (is_word(c) && c != '_'); });
}

bool is_host_name(std::string_view name) noexcept {
    if (name.size() > kMaxHostName) return false;
    while (true) {
        const std::size_t dot = name.find('.');
        if (!is_host_label(name.substr(0, dot))) return false;
        if (dot == std::string_view::npos) return true;
        name.remove_prefix(dot + 1);
    }
}

// URL parsers take a host that ends in a number for an IPv4 address.
bool ends_in_number(std::string_view host) noexcept {
    return std::ranges::all_of(host.substr(host.rfind('.') + 1), is_digit);
}

std::string path_problem(std::string_view path) {
    if (!path.starts_with('/')) {
        return "the path " + quoted(path) + " does not begin with '/'; write path=/" +
               std::string(path);
    }
    if (!std::ranges::all_of(path, is_path_octet)) {
        return "the path " + quoted(path) +
               " has a character that no cookie's path can have; write it percent-encoded";
    }
    if (path.size() > kMaxAttribute) {
        return "the path is longer than " + std::to_string(kMaxAttribute) +
               " octets, which browsers ignore; write a shorter one";
    }
    return {};
}

std::string domain_problem(std::string_view domain) {
    if (domain.empty()) return {};
    if (domain.starts_with('.') && is_host_name(domain.substr(1))) {
        return "the domain " + quoted(domain) +
               " begins with a dot; write domain=" + std::string(domain.substr(1)) +
               ", which covers the hosts below it too";
    }
    if (!is_host_name(domain)) {
        return "the domain " + quoted(domain) +
               " is no host name; write one such as domain=example.com";
    }
    if (ends_in_number(domain)) {
        return "the domain " + quoted(domain) + " is an address; leave domain= out";
    }
    return {};
}

bool has_prefix(std::string_view name, std::string_view prefix) noexcept {
    return equal_ignoring_case(name.substr(0, prefix.size()), prefix);
}

// RFC 6265bis section 4.1.3.
std::string prefix_problem(const CookieSettings& settings) {
    const auto needs = [&](std::string_view prefix, std::string_view what) {
        return "the name " + quoted(settings.name) + " begins with " + std::string(prefix) +
               ", which needs " + std::string(what) + "; browsers drop the cookie otherwise";
    };
    constexpr std::string_view kSecure = "__Secure-";
    constexpr std::string_view kHost = "__Host-";
    if (has_prefix(settings.name, kSecure) && !settings.secure) return needs(kSecure, "secure=on");
    if (!has_prefix(settings.name, kHost)) return {};
    if (!settings.secure) return needs(kHost, "secure=on");
    if (settings.path != "/") return needs(kHost, "path=/");
    if (!settings.domain.empty()) return needs(kHost, "no domain=");
    return {};
}

}  // namespace

std::string_view name_of(SameSite same_site) noexcept {
    switch (same_site) {
        case SameSite::kLax:
            return "Lax";
        case SameSite::kStrict:
            return "Strict";
        case SameSite::kNone:
            return "None";
    }
    return "";
}

std::optional<SameSite> find_same_site(std::string_view name) noexcept {
    for (const SameSite same_site : kSameSites) {
        if (equal_ignoring_case(name_of(same_site), name)) return same_site;
    }
    return std::nullopt;
}

std::string cookie_problem(const CookieSettings& settings) {
    if (!is_token(settings.name)) {
        return "the name " + quoted(settings.name) +
               " is none that a cookie can have; use letters, digits, '-' and '_'";
    }
    if (settings.name.size() > kMaxCookie / 2) {
        return "the name leaves no room for a value; browsers keep " + std::to_string(kMaxCookie) +
               " octets of both: use a shorter one";
    }
    if (std::string problem = path_problem(settings.path); !problem.empty()) return problem;
    if (std::string problem = domain_problem(settings.domain); !problem.empty()) return problem;
    if (std::string problem = prefix_problem(settings); !problem.empty()) return problem;
    if (settings.same_site == SameSite::kNone && !settings.secure) {
        return "samesite=none needs secure=on; browsers drop the cookie otherwise";
    }
    return {};
}

std::optional<std::string> set_cookie(const CookieSettings& settings, std::string_view value,
                                      std::optional<Seconds> max_age) {
    if (!std::ranges::all_of(value, is_cookie_octet) ||
        settings.name.size() + value.size() > kMaxCookie) {
        return std::nullopt;
    }
    std::string text = settings.name;
    text.append("=").append(value).append("; Path=").append(settings.path);
    if (!settings.domain.empty()) text.append("; Domain=").append(settings.domain);
    if (max_age && *max_age > 0) {
        text.append("; Max-Age=").append(std::to_string(*max_age));
    } else if (max_age) {
        text.append("; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
    }
    text.append("; SameSite=").append(name_of(settings.same_site));
    if (settings.secure) text.append("; Secure");
    return text + "; HttpOnly";
}

}  // namespace gate::http
