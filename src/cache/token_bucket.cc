#include "cache/token_bucket.h"

#include <algorithm>
#include <charconv>

#include "cache/failpoint.h"
#include "cache/words.h"

namespace gate::cache {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kFastest = kSecond / 1'000'000;  // interval

constexpr std::uint64_t kMaxSpan = TokenBuckets::kMaxSpan;

// A process may have been stopped for so long between reading the clock and charging: what it sees
// ahead of its old instant is no sign of a slower rate.
constexpr std::uint64_t kMaxLag = 10 * kSecond;

// A set is a cache line of kWays buckets: key (0: free), and the instant from which on it is full.
constexpr std::size_t kSetSize = 64;
constexpr std::size_t kBucketSize = 16;
constexpr std::size_t kFullAt = 8;
static_assert(kBucketSize * TokenBuckets::kWays == kSetSize);

// Buckets that active() looks at, so that it costs an event loop no more than some 100 us. They lie
// an odd number apart: those of a set fill from the first on.
constexpr std::size_t kSample = 65536;

// Rounds of a charge before it gives up: each lost one means that somebody else went on.
constexpr int kMaxRounds = 1000;

Word full_from(std::byte* bucket) noexcept {
    return word_at(bucket + kFullAt);
}

// How far `instant` lies ahead of `now`; 0 when it has passed, or is 0, as in a place never used.
// Right also where the clock wraps.
std::uint64_t ahead(std::uint64_t instant, std::uint64_t now) noexcept {
    if (instant == 0) return 0;
    const std::uint64_t distance = instant - now;
    return distance >> 63 != 0 ? 0 : distance;
}

// A rate with what follows from it.
struct Limit {
    explicit Limit(const Rate& rate) noexcept
        : interval(std::min(rate.interval, kMaxSpan)),
          span(std::max<std::uint64_t>(rate.burst, 1) >
                       kMaxSpan / std::max<std::uint64_t>(interval, 1)
                   ? kMaxSpan
                   : std::max<std::uint64_t>(rate.burst, 1) * interval) {}

    // Further ahead than any bucket of this rate can be: inherited, or left by a slower rate. It
    // counts as an empty bucket.
    bool beyond(std::uint64_t due) const noexcept { return due > span + kMaxLag; }

    // What a bucket that is full in `due` nanoseconds answers; `due` becomes the new one.
    Charge take(std::uint64_t& due) const noexcept {
        if (beyond(due)) due = span;
        Charge charge;
        if (due + interval <= span) {
            due += interval;
            charge.passed = true;
        } else {
            charge.retry_after = due + interval - span;
        }
        charge.remaining = (span - std::min(due, span)) / interval;
        charge.reset = due;
        return charge;
    }

    std::uint64_t interval;
    std::uint64_t span;  // nanoseconds from empty to full
};

constexpr Charge kUnlimited{
    .passed = true, .remaining = ~std::uint64_t{0}, .retry_after = 0, .reset = 0};

// The answer where there is nothing to take from.
Charge refusal(const Limit& limit) noexcept {
    return {.passed = false, .remaining = 0, .retry_after = limit.interval, .reset = limit.span};
}

// The first bucket of the set that has the key, nullptr for none. Sequentially consistent, as the
// claims: of two processes that claim two places for one key at least one sees the other's.
std::byte* find(std::byte* set, std::uint64_t key) noexcept {
    for (std::size_t way = 0; way < TokenBuckets::kWays; ++way) {
        std::byte* const bucket = set + way * kBucketSize;
        if (word_at(bucket).load() == key) return bucket;
    }
    return nullptr;
}

// The bucket that is nearest to full, with the key it has. Of several full ones a place without key
// comes first: nobody is about to charge it.
struct Victim {
    std::byte* bucket = nullptr;
    std::uint64_t key = 0;
    std::uint64_t due = 0;
};
Victim nearest_to_full(std::byte* set, std::uint64_t now) noexcept {
    Victim best;
    for (std::size_t way = 0; way < TokenBuckets::kWays; ++way) {
        std::byte* const bucket = set + way * kBucketSize;
        const std::uint64_t key = word_at(bucket).load();
        const std::uint64_t due = ahead(full_from(bucket).load(), now);
        const bool better = due < best.due || (due == best.due && key == 0 && best.key != 0);
        if (best.bucket == nullptr || better) best = {bucket, key, due};
    }
    return best;
}

// Two processes may have claimed a place each for one key. The first place stays; what was charged
// at another moves there, as far as it goes beyond.
void merge_duplicates(std::byte* set, std::byte* own, std::uint64_t key) noexcept {
    for (std::byte* other = own + kBucketSize; other < set + kSetSize; other += kBucketSize) {
        if (word_at(other).load() != key) continue;
        const std::uint64_t theirs = full_from(other).load();
        std::uint64_t ours = full_from(own).load();
        GATE_FAILPOINT("buckets.merge");
        while (ahead(theirs, ours) != 0 && !full_from(own).compare_exchange_weak(ours, theirs)) {
        }
        std::uint64_t held = key;
        GATE_FAILPOINT("buckets.release");
        word_at(other).compare_exchange_strong(held, 0);
    }
}

// Claims a place for the key: by one exchange of the key. A full bucket's instant has passed, which
// is a new bucket's state; that of an active one, and of one whose
// place was given back, is inherited.
void claim(std::byte* set, std::uint64_t key, std::uint64_t now) noexcept {
    Victim victim = nearest_to_full(set, now);
    GATE_FAILPOINT("buckets.claim");
    if (!word_at(victim.bucket).compare_exchange_strong(victim.key, key)) return;
    if (find(set, key) == victim.bucket) {
        merge_duplicates(set, victim.bucket, key);
        return;
    }
    std::uint64_t held = key;
    GATE_FAILPOINT("buckets.release");
    word_at(victim.bucket).compare_exchange_strong(held, 0);
}

}  // namespace

std::optional<std::uint64_t> parse_rate(std::string_view text) noexcept {
    std::uint64_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc() || text.front() == '0') return std::nullopt;
    const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    std::uint64_t period = 0;
    if (unit == "r/s") period = kSecond;
    if (unit == "r/m") period = 60 * kSecond;
    if (unit == "r/h") period = 3600 * kSecond;
    if (unit == "r/d") period = 86400 * kSecond;
    if (count == 0 || period / kFastest < count) return std::nullopt;
    return (period + count / 2) / count;
}

TokenBuckets::TokenBuckets(std::span<std::byte> memory) noexcept
    : sets_(memory.data()), set_count_(memory.size() / kSetSize) {}

std::byte* TokenBuckets::set_of(std::uint64_t key) const noexcept {
    return sets_ + place_of(key, set_count_) * kSetSize;
}

Charge TokenBuckets::charge(std::uint64_t key, const Rate& rate, std::uint64_t now) noexcept {
    if (rate.interval == 0) return kUnlimited;
    const Limit limit(rate);
    if (set_count_ == 0) return refusal(limit);
    std::byte* const set = set_of(key);
    for (int round = 0; round < kMaxRounds; ++round) {
        std::byte* const bucket = find(set, key);
        if (bucket == nullptr) {
            claim(set, key, now);
            continue;
        }
        std::uint64_t before = full_from(bucket).load();
        std::uint64_t due = ahead(before, now);
        const bool beyond = limit.beyond(due);
        const Charge charge = limit.take(due);
        if (charge.passed || beyond) {
            GATE_FAILPOINT("buckets.charge");
            if (!full_from(bucket).compare_exchange_strong(before, now + due)) continue;
        }
        if (find(set, key) == bucket) return charge;
        // Somebody took the place meanwhile: what was taken from his bucket goes back.
        if (charge.passed) {
            std::uint64_t after = now + due;
            GATE_FAILPOINT("buckets.undo");
            full_from(bucket).compare_exchange_strong(after, before);
        }
    }
    return refusal(limit);
}

void TokenBuckets::refund(std::uint64_t key, const Rate& rate, std::uint64_t now) noexcept {
    if (rate.interval == 0 || set_count_ == 0) return;
    std::byte* const bucket = find(set_of(key), key);
    if (bucket == nullptr) return;
    std::uint64_t before = full_from(bucket).load();
    for (int round = 0; round < kMaxRounds; ++round) {
        const std::uint64_t due = ahead(before, now);
        if (due == 0) return;
        const std::uint64_t after = now + due - std::min(due, rate.interval);
        GATE_FAILPOINT("buckets.refund");
        if (full_from(bucket).compare_exchange_strong(before, after)) return;
    }
}

Charge TokenBuckets::look(std::uint64_t key, const Rate& rate, std::uint64_t now) const noexcept {
    if (rate.interval == 0) return kUnlimited;
    if (set_count_ == 0) return refusal(Limit(rate));
    std::byte* const set = set_of(key);
    std::byte* const bucket = find(set, key);
    std::uint64_t due =
        bucket != nullptr ? ahead(full_from(bucket).load(), now) : nearest_to_full(set, now).due;
    return Limit(rate).take(due);
}

std::size_t TokenBuckets::capacity() const noexcept {
    return set_count_ * kWays;
}

std::size_t TokenBuckets::active(std::uint64_t now) const noexcept {
    const std::size_t step = capacity() <= kSample ? 1 : capacity() / kSample | 1;
    std::size_t active = 0;
    std::size_t seen = 0;
    for (std::size_t i = 0; i < capacity(); i += step, ++seen) {
        std::byte* const bucket = sets_ + i * kBucketSize;
        if (load_word(bucket) != 0 && ahead(full_from(bucket).load(), now) != 0) ++active;
    }
    return seen == 0 ? 0 : active * capacity() / seen;
}

}  // namespace gate::cache
