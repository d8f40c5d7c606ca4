#include "nginx/zone.h"

#include <unistd.h>

#include <vector>

#include "crypto/digest.h"
#include "nginx/bridge.h"
#include "nginx/conf.h"
#include "nginx/journal_feed.h"
#include "nginx/stream_state.h"
#include "nginx/zone_lock.h"

namespace gate::nginx {

namespace {

using cache::Zone;

ngx_slab_pool_t* pool_of(const ngx_shm_zone_t* shared) {
    return reinterpret_cast<ngx_slab_pool_t*>(shared->shm.addr);
}

ngx_int_t refuse(const ngx_shm_zone_t* shared, const char* why) {
    ngx_log_error(NGX_LOG_EMERG, shared->shm.log, 0, "gate_zone \"%V\" %s", &shared->shm.name, why);
    return NGX_ERROR;
}

const char* text_of(Zone::Problem problem) {
    switch (problem) {
        case Zone::Problem::kTooSmall:
            return "is too small";
        case Zone::Problem::kForeign:
            return "holds something else";
        case Zone::Problem::kOtherLayout:
            return "was laid out by another version of the module: restart nginx, or upgrade it in "
                   "place (kill -USR2), instead of reloading";
        case Zone::Problem::kUnfinished:
            return "was left unfinished: restart nginx";
        case Zone::Problem::kNone:
            break;
    }
    return "cannot be used";
}

// The whole rest of nginx's pool, as one piece.
std::span<std::byte> allocate(ngx_slab_pool_t* pool) {
    const std::size_t size = pool->pfree * ngx_pagesize;
    void* memory = ngx_slab_alloc(pool, size);
    if (memory == nullptr) return {};
    pool->data = memory;
    return {static_cast<std::byte*>(memory), size};
}

ngx_int_t make(ngx_shm_zone_t* shared, ZoneConf& conf) {
    conf.memory = allocate(pool_of(shared));
    std::vector<std::uint8_t> random(Zone::kRandomSize);
    if (conf.memory.empty()) return refuse(shared, "cannot be allocated");
    if (!crypto::random_bytes(random)) return refuse(shared, "got no random octets for its keys");
    const auto problem = Zone::format(conf.memory, random);
    wipe(random.data(), random.size());
    return problem == Zone::Problem::kNone ? NGX_OK : refuse(shared, text_of(problem));
}

// The zone of that name in the cycle that a reload replaces. nginx adopts one of the same size and
// forgets any other.
const ZoneConf* predecessor_of(const ngx_shm_zone_t* shared) {
    ngx_list_part_t* part = const_cast<ngx_list_part_t*>(&ngx_cycle->shared_memory.part);
    for (; part != nullptr && part->elts != nullptr; part = part->next) {
        const auto* zones = static_cast<ngx_shm_zone_t*>(part->elts);
        for (ngx_uint_t i = 0; i < part->nelts; ++i) {
            const bool same_name = view(zones[i].shm.name) == view(shared->shm.name);
            if (&zones[i] == shared || zones[i].tag != shared->tag || !same_name) continue;
            return static_cast<const ZoneConf*>(zones[i].data);
        }
    }
    return nullptr;
}

// Keeps the old workers from moving entries while they are read: an entry could be missed on its
// way. They skip what they cannot write meanwhile, or try again.
class Pause {
public:
    explicit Pause(const ZoneConf& zone) : lock_(writer_lock(pool_of(zone.shared))) {
        constexpr int kTries = 200;
        for (int i = 0; i < kTries && !held_; ++i) {
            if (i > 0) usleep(500);
            held_ = lock_.try_lock(lock_.data);
        }
    }
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;
    ~Pause() {
        if (held_) lock_.unlock(lock_.data);
    }
    explicit operator bool() const noexcept { return held_; }

private:
    cache::WriterLock lock_;
    bool held_ = false;
};

// How far the journals were applied is noted before the set is read: what comes in between is
// applied again. A set that had overflowed, or whose writers cannot be stopped, is made whole by
// reading them from the beginning.
ngx_int_t take_over(ngx_shm_zone_t* shared, const ZoneConf& old, Zone& fresh) {
    const auto problem = Zone::check(old.memory);
    if (problem != Zone::Problem::kNone) return refuse(shared, text_of(problem));
    fresh.adopt_seed(*old.zone);
    const Pause pause(old);
    if (pause && !old.zone->revocations.overflowed()) {
        copy_journal_states(*old.zone, fresh);
        copy_stream_states(*old.zone, fresh);
    }
    bool complete = true;
    const auto now = static_cast<std::uint32_t>(ngx_time());
    old.zone->revocations.each([&](const cache::RevocationEntry& entry) {
        if (fresh.revocations.put(entry, now) == cache::Revocations::Put::kFull) complete = false;
    });
    if (complete) return NGX_OK;
    ngx_log_error(NGX_LOG_EMERG, shared->shm.log, 0,
                  "gate_zone \"%V\" of %uz octets is too small for the %uz revocations that are in "
                  "force; make it larger",
                  &shared->shm.name, shared->shm.size, old.zone->revocations.size());
    return NGX_ERROR;
}

// A store without a place in the zone would never be followed, and everybody be refused. Places are
// not taken from former names: old workers may still write into them.
ngx_int_t find_places(const ngx_shm_zone_t* shared, const ZoneConf& conf) {
    for (const StreamConf& stream : conf.streams) {
        if (state_of(conf, stream) != nullptr) continue;
        ngx_str_t name = str(stream.redis_name);
        ngx_log_error(NGX_LOG_EMERG, shared->shm.log, 0,
                      "gate_zone \"%V\" cannot follow gate_redis \"%V\": since nginx was started "
                      "%uz blocks of other names were followed; restart nginx, or take back one "
                      "of those names",
                      &shared->shm.name, &name, cache::kStreams);
        return NGX_ERROR;
    }
    return NGX_OK;
}

ngx_int_t init_zone(ngx_shm_zone_t* shared, void* previous) noexcept {
    return guard(shared->shm.log, ngx_int_t{NGX_ERROR}, [&]() -> ngx_int_t {
        ZoneConf& conf = *static_cast<ZoneConf*>(shared->data);
        const bool adopted = previous != nullptr;
        if (adopted) {
            conf.memory = static_cast<const ZoneConf*>(previous)->memory;
            const auto problem = Zone::check(conf.memory);
            if (problem != Zone::Problem::kNone) return refuse(shared, text_of(problem));
        } else if (shared->shm.exists) {
            return refuse(shared, "exists already");
        } else if (make(shared, conf) != NGX_OK) {
            return NGX_ERROR;
        }
        conf.zone.emplace(conf.memory, writer_lock(pool_of(shared)));
        const ZoneConf* old = adopted ? nullptr : predecessor_of(shared);
        if (old != nullptr && old->zone && take_over(shared, *old, *conf.zone) != NGX_OK) {
            return NGX_ERROR;
        }
        if (find_places(shared, conf) != NGX_OK) return NGX_ERROR;
        // nginx -t has memory of its own, and finds here what the start would stumble over.
        return load_journals(conf, shared->shm.log);
    });
}

}  // namespace

bool add_zone(ngx_conf_t* cf, ZoneConf& conf) {
    ngx_str_t name = str(copy(cf->pool, conf.name));
    conf.shared = ngx_shared_memory_add(cf, &name, conf.size, &ngx_http_gate_module);
    if (conf.shared == nullptr) return false;
    conf.shared->init = init_zone;
    conf.shared->data = &conf;
    return true;
}

cache::Zone* zone_of(const MainConf& main) noexcept {
    return main.zone && main.zone->zone ? &*main.zone->zone : nullptr;
}

}  // namespace gate::nginx
