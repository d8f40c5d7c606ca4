// When to try again after a failure. Milliseconds of any clock.
#pragma once

#include <cstdint>

namespace gate::redis {

// The first try after success comes at once, but never less than `least` behind the one before;
// each further one `least` and up to a quarter of it by chance later, so that many workers that
// lost a server together do not come back together.
class Backoff {
public:
    explicit Backoff(std::uint64_t least) noexcept : least_(least) {}

    // How long to wait from `now` before the next try; `random` is any number.
    std::uint64_t delay(std::uint64_t now, std::uint64_t random) const noexcept;
    void tried(std::uint64_t now) noexcept;
    void succeeded() noexcept { failures_ = 0; }
    void failed() noexcept { ++failures_; }

private:
    std::uint64_t least_;
    std::uint64_t last_try_ = 0;
    std::uint64_t failures_ = 0;
    bool ever_tried_ = false;
};

}  // namespace gate::redis
