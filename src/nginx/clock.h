// A clock that nobody sets, the same in all processes of the machine.
#pragma once

#include <time.h>

#include <cstdint>

namespace gate::nginx {

inline std::uint64_t monotonic_nanoseconds() noexcept {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(now.tv_nsec);
}

inline std::uint64_t monotonic_milliseconds() noexcept {
    return monotonic_nanoseconds() / 1'000'000;
}

// For what is kept for seconds (policy/record_cache.h).
inline std::int64_t monotonic_seconds() noexcept {
    return static_cast<std::int64_t>(monotonic_milliseconds() / 1000);
}

}  // namespace gate::nginx
