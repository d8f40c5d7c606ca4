#include "nginx/redis_counting.h"

#include <algorithm>
#include <new>

#include "base/siphash.h"
#include "crypto/digest.h"
#include "nginx/bridge.h"
#include "nginx/clock.h"
#include "policy/metrics_redis.h"
#include "policy/metrics_text.h"

namespace gate::nginx {

namespace {

std::uint64_t name_digest(const cache::Zone& zone, std::string_view name) noexcept {
    return siphash64(zone.seed(), bytes_of(name)) | 1;
}

}  // namespace

RedisCounting::RedisCounting(std::string name, cache::Zone* zone)
    : name_(std::move(name)), zone_(zone) {
    if (zone_ == nullptr) return;
    auto* const shared =
        cache::place_for(zone_->redis(), name_digest(*zone_, name_), monotonic_milliseconds());
    if (shared != nullptr) state_ = shared;
}

// `word` tells the series from the others of this block; `text` makes its labels, the first time.
template <class Text>
void RedisCounting::add(std::string_view word, Text&& text, std::uint64_t n) noexcept {
    if (zone_ == nullptr) return;
    try {
        auto known = known_.find(word);
        if (known == known_.end()) {
            const std::string labels = text();
            const std::uint64_t digest = siphash64(zone_->seed(), bytes_of(labels));
            known = known_.emplace(word, zone_->counters.series(digest, labels)).first;
        }
        zone_->counters.add(known->second, static_cast<unsigned>(ngx_worker), n);
    } catch (const std::bad_alloc&) {
        return;
    }
}

void RedisCounting::question(std::string_view outcome) noexcept {
    if (outcome != "answered") cache::note_latest(state_->failure, monotonic_milliseconds());
    add(outcome, [&] { return policy::redis_question_series(name_, outcome); });
}

void RedisCounting::answer_took(std::uint64_t microseconds) noexcept {
    const std::string_view bucket = policy::answer_bucket(microseconds);
    add(bucket, [&] { return policy::redis_answer_series(name_, bucket); });
    add(
        "time", [&] { return policy::redis_answer_time_series(name_); }, microseconds);
}

void RedisCounting::connection(const redis::Endpoint& server, std::string_view event) noexcept {
    if (event != "up") cache::note_latest(state_->failure, monotonic_milliseconds());
    try {
        const std::string text = policy::redis_connection_series(name_, server.text(), event);
        add(text, [&] { return text; });
    } catch (const std::bad_alloc&) {
        return;
    }
}

void RedisCounting::waiting(std::size_t count) noexcept {
    state_->waiting[ngx_worker % cache::RedisState::kWorkers].store(
        static_cast<std::uint32_t>(count), std::memory_order_relaxed);
}

void RedisCounting::epoch(std::string_view text) noexcept {
    const std::uint64_t now = monotonic_milliseconds();
    if (text.empty()) return cache::note_latest(state_->empty, now);
    cache::note_latest(state_->filled, now);
    if (epoch_ == text) return;
    try {
        const crypto::Digest256 digest = crypto::sha256(bytes_of(text));
        std::uint64_t first = 0;
        for (std::size_t i = 0; i < 6; ++i) first = first << 8 | digest[i];
        state_->epoch.store(std::max<std::uint64_t>(first, 1), std::memory_order_relaxed);
        epoch_ = text;
    } catch (const std::bad_alloc&) {
        epoch_.clear();
    }
}

void RedisCounting::present() noexcept {
    cache::note_latest(state_->seen, monotonic_milliseconds());
}

void RedisCounting::ready(ngx_msec_t heard) noexcept {
    cache::note_latest(state_->ready, monotonic_milliseconds());
    cache::note_latest(state_->answer, heard);
}

const cache::RedisState* redis_state(cache::Zone& zone, std::string_view name) noexcept {
    const std::uint64_t digest = name_digest(zone, name);
    const auto found = std::ranges::find_if(zone.redis(), [&](const cache::RedisState& state) {
        return state.name.load(std::memory_order_relaxed) == digest;
    });
    return found == zone.redis().end() ? nullptr : &*found;
}

}  // namespace gate::nginx
