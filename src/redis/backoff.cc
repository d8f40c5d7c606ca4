#include "redis/backoff.h"

namespace gate::redis {

std::uint64_t Backoff::delay(std::uint64_t now, std::uint64_t random) const noexcept {
    if (!ever_tried_) return 0;
    const std::uint64_t chance = failures_ == 0 ? 0 : random % (least_ / 4 + 1);
    // A clock that went back has told nothing about the time since the last try.
    const std::uint64_t passed = now > last_try_ ? now - last_try_ : 0;
    const std::uint64_t distance = least_ + chance;
    return distance > passed ? distance - passed : 0;
}

void Backoff::tried(std::uint64_t now) noexcept {
    last_try_ = now;
    ever_tried_ = true;
}

}  // namespace gate::redis
