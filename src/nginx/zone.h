// gate_zone: the shared memory of all workers, from its line in nginx.conf to this process's view
// of it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "cache/zone.h"
#include "nginx/ngx.h"

namespace gate::nginx {

struct MainConf;

// One journal of revocations that the zone follows.
struct JournalConf {
    std::string path;
    ngx_msec_t max_lag = 30'000;  // without proof that all of it is applied
    bool serve_when_late = false;
    bool ours = false;  // below state=: made when it is not there
    std::string where;
    // How far it is; found on first use.
    mutable const cache::JournalState* state = nullptr;
};

struct RedisConf;

// A store in Redis whose changes the zone follows.
struct StreamConf {
    std::string redis_name;
    const RedisConf* redis = nullptr;  // of that name
    ngx_msec_t max_lag = 30'000;       // without proof that all of it is applied
    bool serve_when_late = false;
    std::string where;
    // How far it is, and the digest of its place; found on first use.
    mutable cache::StreamState* state = nullptr;
    mutable std::uint64_t place = 0;
};

struct alignas(64) ZoneConf {
    // What each request reads comes first.
    bool follows = false;  // journals or streams
    // The last ngx_current_msec at which nothing was late.
    mutable std::optional<ngx_msec_t> in_step_at;
    // Made in the master before any worker starts; workers inherit it.
    mutable std::optional<cache::Zone> zone;  // a view: what it shows changes all the time
    std::vector<JournalConf> journals;
    std::vector<StreamConf> streams;
    std::string name;
    std::size_t size = 0;
    std::string state;  // directory, "" for none
    std::string where;
    ngx_shm_zone_t* shared = nullptr;
    std::span<std::byte> memory;
};

// Least size of a zone.
inline constexpr std::size_t kMinZoneSize = std::size_t{1} << 20;

// Asks nginx for the memory. False after a message.
bool add_zone(ngx_conf_t* cf, ZoneConf& conf);

// The zone, or nullptr without gate_zone.
cache::Zone* zone_of(const MainConf& main) noexcept;

}  // namespace gate::nginx
