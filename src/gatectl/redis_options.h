// How the command line names a store in Redis: --redis, what goes with it, and GATE_REDIS.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "gatectl/command.h"
#include "redis/endpoint.h"
#include "redis/login.h"
#include "redis/store_keys.h"

namespace gate::ctl {

// Holds addresses for --redis, a comma between them.
inline constexpr const char* kRedisVariable = "GATE_REDIS";

enum class RedisTopology : std::uint8_t { kServer, kSentinel, kCluster };

struct RedisTls {
    bool on = false;
    bool verify = true;
    std::string name;  // to ask for and to check; empty: the server's host
    std::string ca;    // empty: whom the system trusts
    std::string certificate;
    std::string key;
};

struct RedisOptions {
    RedisTopology topology = RedisTopology::kServer;
    std::vector<redis::Endpoint> servers;  // or sentinels, or some nodes of the cluster
    std::string master;                    // what the sentinels call it
    redis::Login login;
    redis::Login sentinel_login;
    redis::StoreKeys keys{"gate:"};
    RedisTls tls;
    int timeout = 5000;  // milliseconds, to find the server, and for each exchange with it
    std::optional<unsigned> wait;  // replicas that have to acknowledge a change
};

// The prefix of keys in Redis is "redis-prefix", because "prefix" is that of API keys.
inline constexpr std::array kRedisViewOptions{
    Option{"redis", "ADDRESS", "host:port, [::1]:6379 or unix:/path; also in GATE_REDIS", true},
    Option{"sentinel", "NAME", "--redis names sentinels, which know this master"},
    Option{"cluster", "", "--redis names nodes of a cluster"},
    Option{"redis-user", "USER", "of Redis' ACL"},
    Option{"redis-password-file", "FILE", "the password"},
    Option{"sentinel-user", "USER", "for the sentinels, where they ask for one"},
    Option{"sentinel-password-file", "FILE", "the password for the sentinels"},
    Option{"db", "N", "number of the database (0)"},
    Option{"redis-prefix", "TEXT", "of every key of the store (gate:, in a cluster {gate}:)"},
    Option{"tls", "", "talk TLS"},
    Option{"tls-ca", "FILE", "whom to trust, PEM (those whom the system trusts)"},
    Option{"tls-cert", "FILE", "certificate to show, PEM"},
    Option{"tls-key", "FILE", "its key, PEM"},
    Option{"tls-name", "NAME", "name that the server's certificate must have (its host)"},
    Option{"tls-insecure", "", "believe any certificate: protects from nobody in between"},
    Option{"timeout", "TIME", "patience in finding the server, and with each answer (5s)"}};

inline constexpr std::array kRedisChangeOptions = [] {
    std::array<Option, kRedisViewOptions.size() + 1> all{};
    for (std::size_t i = 0; i < kRedisViewOptions.size(); ++i) all[i] = kRedisViewOptions[i];
    all.back() = {"wait", "N", "exit status 1 unless so many replicas have the change in time"};
    return all;
}();

// What the options say; nullopt where a file is named, or nothing at all. `file`: the command line
// names one. Errors are sentences, about usage.
Result<std::optional<RedisOptions>, std::string> redis_options(const Arguments& arguments,
                                                               bool file);

}  // namespace gate::ctl
