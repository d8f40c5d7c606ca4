// The servers that a gate_redis block names: their addresses, as far as they are known at the
// start.
#include <sys/un.h>

#include <algorithm>
#include <cstring>

#include "nginx/conf_check.h"
#include "nginx/setters.h"

namespace gate::nginx {

namespace {

Address address_of(const ngx_addr_t& found) {
    Address address;
    std::memcpy(&address.storage, found.sockaddr, found.socklen);
    address.size = found.socklen;
    address.text = view(found.name);
    return address;
}

std::string place_of(const RedisConf& redis) {
    std::string place = redis.name + ' ' + redis.keys.prefix() + ' ' + std::to_string(redis.db) +
                        ' ' + redis.master;
    for (const RedisServer& server : redis.servers) place += ' ' + server.endpoint.text();
    return place;
}

ngx_resolver_t* resolver_of(ngx_conf_t* cf) {
    const auto* http = static_cast<ngx_http_core_loc_conf_t*>(
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
    // nginx puts one that knows nobody where none is written.
    return http->resolver != nullptr && http->resolver->connections.nelts != 0 ? http->resolver
                                                                               : nullptr;
}

}  // namespace

// Names are looked up here, as nginx does for its upstreams: no worker ever waits for that.
bool add_redis_server(const Directive& word, std::string_view text, std::uint16_t port,
                      RedisConf& conf) {
    const std::string value = "has the value " + quoted(text);
    const auto endpoint = redis::Endpoint::parse(text, port);
    if (!endpoint) return word.fail(value + ": " + endpoint.error());
    ngx_url_t url{};
    url.url = str(copy(word.cf()->pool, endpoint->text()));
    url.default_port = port;
    std::string problem;
    if (ngx_parse_url(word.cf()->pool, &url) != NGX_OK) {
        problem = url.err != nullptr ? url.err : "it cannot be read";
        if (!endpoint->has_name()) return word.fail(value + ": " + problem);
    }
    RedisServer server{*endpoint, {}};
    for (ngx_uint_t i = 0; problem.empty() && i < url.naddrs; ++i) {
        server.addresses.push_back(address_of(url.addrs[i]));
    }
    if (endpoint->has_name()) {
        conf.names.push_back({word.where().text(), word.subject() + value, problem});
    }
    conf.servers.push_back(std::move(server));
    return true;
}

bool complete_redis_names(ngx_conf_t* cf, MainConf& main) {
    ngx_resolver_t* const resolver = resolver_of(cf);
    for (const auto& conf : main.redis) {
        conf->resolver = resolver;
        conf->place = place_of(*conf);
        for (const NameAtStart& name : conf->names) {
            if (resolver == nullptr && !name.problem.empty()) {
                return fail_at(cf, name.where,
                               name.subject + ": " + name.problem +
                                   "; write its address, or \"resolver ADDRESS;\" in http, so "
                                   "that it is asked for while nginx runs");
            }
            if (resolver == nullptr) {
                warn_at(cf, name.where,
                        name.subject +
                            ", a name that is looked up now and at a reload only; write \"resolver "
                            "ADDRESS;\" in http, so that another address of it is noticed");
            } else if (!name.problem.empty()) {
                warn_at(cf, name.where,
                        name.subject + ": " + name.problem +
                            "; the resolver is asked for it while nginx runs");
            }
        }
    }
    return true;
}

std::optional<Address> literal_address(const redis::Endpoint& endpoint) {
    Address address;
    address.text = endpoint.text();
    if (!endpoint.socket_path.empty()) {
        auto* unix = reinterpret_cast<sockaddr_un*>(&address.storage);
        if (endpoint.socket_path.size() >= sizeof unix->sun_path) return std::nullopt;
        unix->sun_family = AF_UNIX;
        std::memcpy(unix->sun_path, endpoint.socket_path.data(), endpoint.socket_path.size());
        address.size = sizeof(sockaddr_un);
        return address;
    }
    auto* host = reinterpret_cast<u_char*>(const_cast<char*>(endpoint.host.data()));
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
    if (ngx_inet6_addr(host, endpoint.host.size(), v6->sin6_addr.s6_addr) == NGX_OK) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(endpoint.port);
        address.size = sizeof(sockaddr_in6);
        return address;
    }
    auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
    address.storage = {};
    v4->sin_addr.s_addr = ngx_inet_addr(host, endpoint.host.size());
    if (v4->sin_addr.s_addr == INADDR_NONE) return std::nullopt;
    v4->sin_family = AF_INET;
    v4->sin_port = htons(endpoint.port);
    address.size = sizeof(sockaddr_in);
    return address;
}

}  // namespace gate::nginx
