#include "nginx/redis_counting.h"

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

void RedisCounting::add(const std::string& series) {
    if (zone_ == nullptr) return;
    auto known = known_.find(series);
    if (known == known_.end()) {
        const std::uint64_t digest = siphash64(zone_->seed(), bytes_of(series));
        known = known_.emplace(series, zone_->counters.series(digest, series)).first;
    }
    zone_->counters.add(known->second, static_cast<unsigned>(ngx_worker));
}

void RedisCounting::question(std::string_view outcome) {
    add(policy::redis_question_series(name_, outcome));
}

void RedisCounting::answer_took(ngx_msec_t milliseconds) {
    for (const Bound& bound : kBounds) {
        if (milliseconds <= bound.milliseconds) return;
        add(policy::redis_slower_series(name_, bound.seconds));
    }
}

void RedisCounting::connection(std::string_view server, std::string_view event) {
    add(policy::redis_connection_series(name_, server, event));
}

}  // namespace gate::nginx
