#include "redis/endpoint.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include <algorithm>

#include "base/ascii.h"
#include "base/bytes.h"
#include "redis/decimal.h"

namespace gate::redis {

namespace {

constexpr std::size_t kMaxHost = 253;  // octets of a name without its last dot (RFC 1035)
constexpr std::string_view kUnix = "unix:";

bool is_ipv6(std::string_view text) {
    in6_addr address{};
    return text.find('\0') == text.npos &&
           inet_pton(AF_INET6, std::string(text).c_str(), &address) == 1;
}

Result<Endpoint, std::string> parse_socket(std::string_view path) {
    // One octet is for the NUL behind it.
    constexpr std::size_t kMaxPath = sizeof(sockaddr_un::sun_path) - 1;
    if (!path.starts_with('/')) {
        return fail(std::string("behind \"unix:\" comes the path of a socket, beginning with '/'"));
    }
    if (path.size() > kMaxPath) {
        return fail("the path of a socket has at most " + std::to_string(kMaxPath) + " octets");
    }
    if (has_control_character(path)) {
        return fail(std::string("the path of a socket holds a control character"));
    }
    return Endpoint{{}, 0, std::string(path)};
}

}  // namespace

bool is_host(std::string_view text) {
    if (text.find(':') != text.npos) return is_ipv6(text);
    return !text.empty() && text.size() <= kMaxHost &&
           std::ranges::all_of(text, [](char c) { return is_word(c) || c == '.' || c == '-'; });
}

std::optional<std::uint16_t> parse_port(std::string_view text) noexcept {
    const auto number = parse_decimal(text);
    if (!number || *number == 0 || *number > 0xffff) return std::nullopt;
    return static_cast<std::uint16_t>(*number);
}

Result<Endpoint, std::string> Endpoint::parse(std::string_view text, std::uint16_t default_port) {
    if (text.starts_with(kUnix)) return parse_socket(text.substr(kUnix.size()));
    const bool brackets = text.starts_with('[');
    std::string_view host = text;
    std::optional<std::string_view> port;
    if (brackets) {
        const std::size_t close = text.find(']');
        if (close == text.npos) return fail(std::string("']' is missing behind the address"));
        host = text.substr(1, close - 1);
        const std::string_view rest = text.substr(close + 1);
        if (rest.starts_with(':')) port = rest.substr(1);
        if (!rest.empty() && !port) return fail(std::string("behind ']' comes \":port\" only"));
        if (!is_ipv6(host))
            return fail("\"" + log_escaped(host, kMaxHost) + "\" is no IPv6 address");
    } else if (const std::size_t colon = text.find(':'); colon != text.npos) {
        host = text.substr(0, colon);
        port = text.substr(colon + 1);
        if (port->find(':') != port->npos) {
            return fail(std::string("an IPv6 address stands in brackets: \"[::1]:6379\""));
        }
    }
    if (!brackets && !is_host(host)) {
        return fail("\"" + log_escaped(host, kMaxHost) + "\" is no name or address of a host");
    }
    const auto number = port ? parse_port(*port) : std::optional(default_port);
    if (!number) {
        return fail("port \"" + log_escaped(*port, kMaxHost) +
                    "\" is not a number from 1 to 65535");
    }
    return Endpoint{std::string(host), *number, {}};
}

std::string Endpoint::text() const {
    if (!socket_path.empty()) return std::string(kUnix) + socket_path;
    const bool brackets = host.find(':') != host.npos;
    return (brackets ? "[" + host + "]:" : host + ":") + std::to_string(port);
}

bool Endpoint::has_name() const {
    in_addr address{};
    return socket_path.empty() && ascii_lower(host) != "localhost" && !is_ipv6(host) &&
           inet_pton(AF_INET, host.c_str(), &address) != 1;
}

}  // namespace gate::redis
