#include "nginx/lead.h"

#include <algorithm>

#include "nginx/clock.h"
#include "nginx/ngx.h"

namespace gate::nginx {

namespace {

std::uint64_t self() noexcept {
    return static_cast<std::uint64_t>(ngx_pid);
}

}  // namespace

bool Lead::held() const noexcept {
    return generation_ != 0 && state_.leader.load() == self() &&
           state_.generation.load() == generation_;
}

bool Lead::try_take() noexcept {
    std::uint64_t leader = state_.leader.load();
    const std::uint64_t now = monotonic_milliseconds();
    const std::uint64_t beat = state_.heartbeat.load();
    if (leader != 0 && now - std::min(now, beat) <= kTakeover) return false;
    if (!state_.leader.compare_exchange_strong(leader, self())) return false;
    generation_ = state_.generation.fetch_add(1) + 1;
    state_.heartbeat.store(now);
    return true;
}

void Lead::beat() noexcept {
    state_.heartbeat.store(monotonic_milliseconds());
}

void Lead::resign() noexcept {
    if (held()) state_.leader.store(0);
    generation_ = 0;
}

}  // namespace gate::nginx
