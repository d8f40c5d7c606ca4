// How far a store in Redis has been followed, as the zone notes it for all workers.
#pragma once

#include <cstdint>
#include <optional>

#include "cache/zone.h"
#include "nginx/ngx.h"
#include "nginx/zone.h"
#include "redis/change.h"

namespace gate::nginx {

// The place in the stream up to which nothing is missing.
inline redis::StreamId place_of(const cache::StreamState& state) noexcept {
    return {state.last_time.load(), state.last_number.load()};
}
inline void move_place(cache::StreamState& state, redis::StreamId place) noexcept {
    state.last_number.store(place.number);
    state.last_time.store(place.time);
}

// Lets `fresh` go on where `old` is.
void copy_stream_states(cache::Zone& old, cache::Zone& fresh);

// The state of the store that is followed; found on first use. nullptr: the zone has no place left.
cache::StreamState* state_of(const ZoneConf& conf, const StreamConf& stream) noexcept;

// Milliseconds since all of it was known to be applied; nullopt: it never was.
inline std::optional<std::uint64_t> lag_of(const ZoneConf& conf,
                                           const StreamConf& stream) noexcept {
    const cache::StreamState* const state =
        stream.state != nullptr ? stream.state : state_of(conf, stream);
    if (state == nullptr || state->place.load(std::memory_order_relaxed) != stream.place ||
        state->epoch.load(std::memory_order_relaxed) == 0) {
        return std::nullopt;
    }
    const std::uint64_t in_step = state->in_step.load(std::memory_order_relaxed);
    return ngx_current_msec > in_step ? ngx_current_msec - in_step : 0;
}

}  // namespace gate::nginx
