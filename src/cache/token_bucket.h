// Token buckets in shared memory, as GCRA: one instant each, from which on the bucket is full. No
// locks; every change is one compare-and-swap. A bucket that is full is the same as none, so its
// place is free for another; where all places of a set are taken, a newcomer takes over the bucket
// that is nearest to full, as it stands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace gate::cache {

// One token every `interval` nanoseconds, at most `burst` of them at a time. An interval of 0 is no
// limit; a burst of 0 counts as 1.
struct Rate {
    std::uint64_t interval = 0;
    std::uint64_t burst = 1;
    bool operator==(const Rate&) const = default;
};

// "10r/s", "90r/m", "1000r/h", "5r/d": the interval, rounded to the nanosecond, nullopt for
// anything else, for 0 and for more than 1,000,000 r/s.
std::optional<std::uint64_t> parse_rate(std::string_view text) noexcept;

struct Charge {
    bool passed = false;
    std::uint64_t remaining = 0;    // whole tokens left
    std::uint64_t retry_after = 0;  // nanoseconds until a token is there; 0 when passed
    std::uint64_t reset = 0;        // nanoseconds until the bucket is full
};

class TokenBuckets {
public:
    static constexpr std::size_t kWays = 4;  // buckets of a set, which is one cache line
    // Nanoseconds from empty to full at most (146 years), whatever the burst: 53,375 tokens of one
    // a day. So differences of instants stay in 63 bits.
    static constexpr std::uint64_t kMaxSpan = std::uint64_t{1} << 62;

    // Zero-filled memory, aligned to 64 octets, holds no bucket (all are full).
    explicit TokenBuckets(std::span<std::byte> memory) noexcept;

    // Takes a token from the bucket of `key` (a keyed digest, never 0). `now`: nanoseconds of a
    // clock that never jumps, the same for all processes.
    Charge charge(std::uint64_t key, const Rate& rate, std::uint64_t now) noexcept;
    // Gives one back that charge() took, up to a full bucket.
    void refund(std::uint64_t key, const Rate& rate, std::uint64_t now) noexcept;
    // What charge() would answer.
    Charge look(std::uint64_t key, const Rate& rate, std::uint64_t now) const noexcept;

    std::size_t capacity() const noexcept;
    // Buckets that are not full; estimated from a sample of 65,536 where there are more.
    std::size_t active(std::uint64_t now) const noexcept;

private:
    std::byte* set_of(std::uint64_t key) const noexcept;

    std::byte* sets_;
    std::size_t set_count_;
};

}  // namespace gate::cache
