// The client's address as octets.
#pragma once

#include "base/bytes.h"
#include "nginx/ngx.h"

namespace gate::nginx {

// As the log shows it: realip has already replaced it where configured. 4 or 16 octets, in network
// order; empty for a Unix socket.
inline Bytes client_address(const ngx_http_request_t* r) noexcept {
    sockaddr* address = r->connection->sockaddr;
    if (address->sa_family == AF_INET) {
        auto* in = reinterpret_cast<sockaddr_in*>(address);
        return {reinterpret_cast<const std::uint8_t*>(&in->sin_addr), 4};
    }
#if (NGX_HAVE_INET6)
    if (address->sa_family == AF_INET6) {
        auto* in6 = reinterpret_cast<sockaddr_in6*>(address);
        return {reinterpret_cast<const std::uint8_t*>(&in6->sin6_addr), 16};
    }
#endif
    return {};
}

}  // namespace gate::nginx
