#include "cache/counters.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "cache/failpoint.h"
#include "cache/words.h"

namespace gate::cache {
namespace {

// An entry: digest (0: free), length of the labels plus one (0: unfinished), padding, the labels.
constexpr std::size_t kEntrySize = 384;
constexpr std::size_t kReadyAt = 8;
constexpr std::size_t kTextAt = 16;
constexpr std::size_t kTextWords = Counters::kMaxLabels / sizeof(std::uint64_t);
static_assert(kTextAt + Counters::kMaxLabels <= kEntrySize);
static_assert(kEntrySize + Counters::kWorkers * sizeof(std::uint64_t) == Counters::kSeriesSize);

// A worker's values fill whole cache lines when there is a multiple of 8 series.
constexpr std::size_t kSeriesStep = 64 / sizeof(std::uint64_t);

// Entries looked at before a series counts as without room.
constexpr std::uint32_t kMaxProbes = 64;

// Everybody who comes here for a digest writes the same octets, so the order among them is nothing.
void write_labels(std::byte* entry, std::string_view labels) noexcept {
    std::array<std::uint64_t, kTextWords> words{};
    std::memcpy(words.data(), labels.data(), labels.size());
    const std::size_t count = (labels.size() + sizeof(words[0]) - 1) / sizeof(words[0]);
    for (std::size_t i = 0; i < count; ++i) {
        GATE_FAILPOINT("counters.text");
        store_word(entry + kTextAt + i * sizeof(words[0]), words[i]);
    }
    GATE_FAILPOINT("counters.ready");
    // Pairs with the acquire loads in series() and labels(): who sees it sees the whole text.
    half_at(entry + kReadyAt)
        .store(static_cast<std::uint32_t>(labels.size() + 1), std::memory_order_release);
}

}  // namespace

Counters::Counters(std::span<std::byte> memory) noexcept : entries_(memory.data()) {
    const std::size_t room = memory.size() / kSeriesSize / kSeriesStep * kSeriesStep;
    const std::size_t most = std::numeric_limits<std::uint32_t>::max() / kSeriesStep * kSeriesStep;
    capacity_ = static_cast<std::uint32_t>(std::min(room, most));
    values_ = entries_ + capacity_ * kEntrySize;
}

std::byte* Counters::entry(std::uint32_t series) const noexcept {
    return entries_ + series * kEntrySize;
}

std::byte* Counters::value_of(std::uint32_t series, unsigned worker) const noexcept {
    const std::size_t row = worker % kWorkers;
    return values_ + (row * capacity_ + series) * sizeof(std::uint64_t);
}

std::uint32_t Counters::series(std::uint64_t digest, std::string_view labels) noexcept {
    if (labels.size() > kMaxLabels || capacity_ < 2) return kOverflow;
    if (digest == 0) digest = 1;  // 0 marks a free entry
    const std::uint32_t places = capacity_ - 1;
    const auto home = static_cast<std::uint32_t>(place_of(digest, places));
    for (std::uint32_t probe = 0; probe < std::min(places, kMaxProbes); ++probe) {
        const std::uint32_t index = 1 + (home + probe) % places;
        std::byte* const at = entry(index);
        std::uint64_t held = load_word(at);
        if (held == 0) {
            GATE_FAILPOINT("counters.claim");
            // A claim is for ever; when somebody else was first, `held` becomes his digest.
            if (word_at(at).compare_exchange_strong(held, digest, std::memory_order_relaxed)) {
                held = digest;
            }
        }
        if (held != digest) continue;
        if (half_at(at + kReadyAt).load(std::memory_order_acquire) == 0) write_labels(at, labels);
        return index;
    }
    return kOverflow;
}

void Counters::add(std::uint32_t series, unsigned worker, std::uint64_t n) noexcept {
    if (series < capacity_) place(series, worker).add(n);
}

std::uint64_t Counters::value(std::uint32_t series) const noexcept {
    if (series >= capacity_) return 0;
    std::uint64_t sum = 0;
    for (unsigned worker = 0; worker < kWorkers; ++worker) {
        sum += load_word(value_of(series, worker));
    }
    return sum;
}

std::string Counters::labels(std::uint32_t series) const {
    if (series == kOverflow) return std::string(kOverflowLabels);
    if (series >= capacity_) return {};
    const std::byte* const at = entry(series);
    const std::uint32_t ready = half_at(at + kReadyAt).load(std::memory_order_acquire);
    if (ready == 0 || ready > kMaxLabels + 1) return {};
    std::array<std::uint64_t, kTextWords> words;
    for (std::size_t i = 0; i < kTextWords; ++i) {
        words[i] = load_word(at + kTextAt + i * sizeof(words[0]));
    }
    std::string text(ready - 1, '\0');
    std::memcpy(text.data(), words.data(), text.size());
    return text;
}

std::uint32_t Counters::size() const noexcept {
    std::uint32_t size = capacity_;
    while (size > 1 && load_word(entry(size - 1)) == 0) --size;
    return size;
}

std::uint32_t Counters::used() const noexcept {
    std::uint32_t used = capacity_ > 0 ? 1 : 0;
    for (std::uint32_t series = 1; series < capacity_; ++series) {
        if (load_word(entry(series)) != 0) ++used;
    }
    return used;
}

std::uint32_t Counters::capacity() const noexcept {
    return capacity_;
}

}  // namespace gate::cache
