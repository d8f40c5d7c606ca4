// gate_redis blocks as data, and what their start-up resolves: addresses, the password, TLS.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "nginx/ngx.h"
#include "redis/endpoint.h"
#include "redis/store_keys.h"

namespace gate::nginx {

// One address of a server, for connect().
struct Address {
    sockaddr_storage storage{};
    socklen_t size = 0;
    std::string text;  // for people: "127.0.0.1:6379"
};

// A server as it was written, with the addresses that its name had at start-up.
struct RedisServer {
    redis::Endpoint endpoint;
    std::vector<Address> addresses;
};

// What became of a name that the block has, as `subject` says.
struct NameAtStart {
    std::string where;
    std::string subject;
    std::string problem;  // empty: it has addresses
};

enum class RedisTopologyKind : std::uint8_t { kStandalone, kSentinel, kCluster };

struct RedisTls {
    bool on = false;
    bool verify = true;
    std::string name;  // to ask for and to check; empty: the server's host
    std::string trusted_certificate;
    std::string certificate;
    std::string certificate_key;
    ngx_ssl_t* context = nullptr;  // in the configuration's pool
};

struct RedisConf {
    std::string name;
    RedisTopologyKind topology = RedisTopologyKind::kStandalone;
    std::vector<RedisServer> servers;  // or sentinels, or some of the cluster's nodes
    std::string master;                // what the sentinels call it
    std::string user;
    std::string password_file;  // complete path; empty: none
    std::shared_ptr<const Secret> password;
    unsigned db = 0;
    redis::StoreKeys keys{"gate:"};
    RedisTls tls;
    ngx_msec_t connect_timeout = 500;
    ngx_msec_t timeout = 500;     // for an answer, from the moment it is asked for
    ngx_msec_t keepalive = 5000;  // what a server said of its ROLE counts for so long
    ngx_msec_t backoff = 1000;    // between tries to connect
    std::size_t queue = 1024;     // questions that may wait for an answer
    bool looked_up = false;       // gate_revocation_lookup asks it
    bool shared = false;          // workers tell each other of it, in the zone
    // How the sentinels are talked to: nullptr unless they are named.
    std::unique_ptr<RedisConf> sentinel;
    std::string where;
    // Which store in Redis the block means, whatever else it says: what is known of one must not
    // count for another that a reload leads the block to.
    std::string place;
    std::vector<NameAtStart> names;
    ngx_resolver_t* resolver = nullptr;  // that of http, where one is written
};

// The password as the file has it now, or a sentence why not, without its text.
Result<std::shared_ptr<const Secret>, std::string> read_password(const std::string& path);

// An IPv4 or IPv6 address with port, or a socket's path; no name is looked up. nullopt for a name.
std::optional<Address> literal_address(const redis::Endpoint& endpoint);

}  // namespace gate::nginx
