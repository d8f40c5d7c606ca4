#include "nginx/stream_state.h"

#include "base/siphash.h"
#include "nginx/redis_conf.h"

namespace gate::nginx {

namespace {

using cache::StreamState;

std::uint64_t digest_of(const cache::Zone& zone, std::string_view text) noexcept {
    return siphash64(zone.seed(), bytes_of(text)) | 1;
}

}  // namespace

void copy_stream_states(cache::Zone& old, cache::Zone& fresh) {
    for (std::size_t i = 0; i < cache::kStreams; ++i) {
        const StreamState& from = old.streams()[i];
        StreamState& to = fresh.streams()[i];
        to.name.store(from.name.load());
        to.place.store(from.place.load());
        to.epoch.store(from.epoch.load());
        to.last_time.store(from.last_time.load());
        to.last_number.store(from.last_number.load());
        to.in_step.store(from.in_step.load());
        to.records_since.store(from.records_since.load());
    }
}

StreamState* state_of(const ZoneConf& conf, const StreamConf& stream) noexcept {
    if (stream.state != nullptr) return stream.state;
    stream.place = digest_of(*conf.zone, stream.redis->place);
    const std::uint64_t wanted = digest_of(*conf.zone, stream.redis->name);
    for (StreamState& state : conf.zone->streams()) {
        std::uint64_t found = 0;
        if (state.name.compare_exchange_strong(found, wanted) || found == wanted) {
            return stream.state = &state;
        }
    }
    return nullptr;
}

}  // namespace gate::nginx
