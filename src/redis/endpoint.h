// Where a server is: "host:port", "[2001:db8::1]:6379" or "unix:/path".
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gate::redis {

struct Endpoint {
    std::string host;  // a name or an address without brackets; empty for a socket
    std::uint16_t port = 0;
    std::string socket_path;  // of a unix socket

    // Without a port `default_port` counts. Errors are sentences: "port \"70000\" is not a number
    // from 1 to 65535".
    static Result<Endpoint, std::string> parse(std::string_view text, std::uint16_t default_port);
    // As parse() takes it, always with the port.
    std::string text() const;
    // Whether its addresses may change: not those of a socket, an address or "localhost" (RFC 6761
    // section 6.3).
    bool has_name() const;
    bool operator==(const Endpoint&) const = default;
    auto operator<=>(const Endpoint&) const = default;
};

// Whether a server may be called that: a name, an IPv4 address, or an IPv6 address (no brackets).
bool is_host(std::string_view text);
// 1 to 65535, without '0' in front.
std::optional<std::uint16_t> parse_port(std::string_view text) noexcept;

}  // namespace gate::redis
