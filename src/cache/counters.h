// Counters in shared memory: series found by a digest of their labels, one value for each worker.
// Nothing here takes a lock: a series is claimed by compare-and-swap, and its text is written by
// everybody who finds it unfinished (all write the same octets), so that a process that dies in
// between leaves nothing behind that another would not complete.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "cache/failpoint.h"
#include "cache/words.h"

namespace gate::cache {

class Counters {
public:
    static constexpr std::size_t kMaxLabels = 368;  // octets
    static constexpr unsigned kWorkers = 16;        // a worker's number modulo this has a value
    // The series of everything that found no room, and its labels.
    static constexpr std::uint32_t kOverflow = 0;
    static constexpr std::string_view kOverflowLabels = "overflow ";
    // Octets that a series takes. Memory holds a multiple of 8 series, and at least 8.
    static constexpr std::size_t kSeriesSize = 384 + kWorkers * sizeof(std::uint64_t);

    // Zero-filled memory, aligned to 64 octets, holds no series. A worker's values stand in cache
    // lines of their own.
    explicit Counters(std::span<std::byte> memory) noexcept;

    // The series of these labels, created when there is none: an index to keep. kOverflow when the
    // memory is full or the labels are too long. `digest` is keyed and stands for `labels`.
    std::uint32_t series(std::uint64_t digest, std::string_view labels) noexcept;

    // Where one worker adds to a series, as long as the memory is there. What is added is atomic
    // although it is the worker's own: two cycles' workers of one number run side by side after a
    // reload. Relaxed: no reader orders anything by it.
    class Place {
    public:
        Place() = default;
        void add(std::uint64_t n = 1) const noexcept {
            GATE_FAILPOINT("counters.add");
            word_at(value_).fetch_add(n, std::memory_order_relaxed);
        }

    private:
        friend class Counters;
        explicit Place(std::byte* value) noexcept : value_(value) {}
        std::byte* value_ = nullptr;
    };
    // `series` is one that series() gave.
    Place place(std::uint32_t series, unsigned worker) const noexcept {
        return Place(value_of(series, worker));
    }
    // The same at once; nothing for an index that is no series.
    void add(std::uint32_t series, unsigned worker, std::uint64_t n = 1) noexcept;

    std::uint64_t value(std::uint32_t series) const noexcept;  // summed over workers
    std::string labels(std::uint32_t series) const;            // empty: no such series
    std::uint32_t size() const noexcept;      // one more than the highest index in use
    std::uint32_t used() const noexcept;      // series in use, the overflow series too
    std::uint32_t capacity() const noexcept;  // series

private:
    std::byte* entry(std::uint32_t series) const noexcept;
    std::byte* value_of(std::uint32_t series, unsigned worker) const noexcept;

    std::byte* entries_;
    std::byte* values_;
    std::uint32_t capacity_;
};

}  // namespace gate::cache
