// Whether a server drops what it holds when its memory is full.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gate::redis {

struct EvictionPolicy {
    std::string name;      // "noeviction", "allkeys-lru", "volatile-ttl", ..
    bool bounded = false;  // maxmemory is set; otherwise nothing is dropped yet
};

// From what INFO answers (its section memory); nullopt: it does not say.
std::optional<EvictionPolicy> read_eviction_policy(std::string_view info);

// kNone: noeviction. kExpiring: it would drop keys that have an expiry, as none of the gate's own
// has. kAny: it would drop any key.
enum class EvictionRisk : std::uint8_t { kNone, kExpiring, kAny };
EvictionRisk eviction_risk(const EvictionPolicy& policy) noexcept;

// For people, with the remedy; empty: nothing is wrong.
std::string eviction_problem(const EvictionPolicy& policy);

}  // namespace gate::redis
