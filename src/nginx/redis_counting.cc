#include "nginx/redis_counting.h"

#include <new>

#include "base/siphash.h"
#include "nginx/bridge.h"
#include "policy/metrics_text.h"

namespace gate::nginx {

namespace {

struct Bound {
    ngx_msec_t milliseconds;
    std::string_view seconds;
};
constexpr std::array<Bound, 6> kBounds{
    {{1, "0.001"}, {5, "0.005"}, {20, "0.02"}, {100, "0.1"}, {500, "0.5"}, {2000, "2"}}};

}  // namespace

// `series`: makes the text.
template <class Series>
void RedisCounting::add(Series&& series) noexcept {
    if (zone_ == nullptr) return;
    try {
        const std::string text = series();
        auto known = known_.find(text);
        if (known == known_.end()) {
            const std::uint64_t digest = siphash64(zone_->seed(), bytes_of(text));
            known = known_.emplace(text, zone_->counters.series(digest, text)).first;
        }
        zone_->counters.add(known->second, static_cast<unsigned>(ngx_worker));
    } catch (const std::bad_alloc&) {
        return;
    }
}

void RedisCounting::question(std::string_view outcome) noexcept {
    add([&] { return policy::redis_question_series(name_, outcome); });
}

void RedisCounting::answer_took(ngx_msec_t milliseconds) noexcept {
    for (const Bound& bound : kBounds) {
        if (milliseconds <= bound.milliseconds) return;
        add([&] { return policy::redis_slower_series(name_, bound.seconds); });
    }
}

void RedisCounting::connection(const redis::Endpoint& server, std::string_view event) noexcept {
    add([&] { return policy::redis_connection_series(name_, server.text(), event); });
}

}  // namespace gate::nginx
