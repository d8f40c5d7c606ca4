#include "cache/revocations.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "cache/failpoint.h"
#include "cache/words.h"

namespace gate::cache {

namespace {

// An entry: both halves of the digest, and issued_until << 32 | expires. A slot whose last word is
// 0 is free, whatever the others hold.
constexpr std::size_t kHigh = 0;
constexpr std::size_t kLow = 8;
constexpr std::size_t kMeta = 16;

// A bucket's tags: one octet of the digest for each slot, 0 where there is none.
constexpr std::size_t kTagsSize = 8;
constexpr std::uint64_t kEachTag = 0x0101010101010101;

constexpr std::array<std::string_view, 7> kNames{"jti",    "tok", "sub", "sid",
                                                 "client", "key", "all"};

constexpr std::uint64_t meta_of(std::uint32_t issued_until, std::uint32_t expires) noexcept {
    return std::uint64_t{issued_until} << 32 | expires;
}
constexpr std::uint32_t issued_until_of(std::uint64_t meta) noexcept {
    return static_cast<std::uint32_t>(meta >> 32);
}
constexpr std::uint32_t expires_of(std::uint64_t meta) noexcept {
    return static_cast<std::uint32_t>(meta);
}
constexpr bool expired(std::uint32_t expires, std::uint32_t now) noexcept {
    return expires <= now && expires != kNeverForgotten;
}
// The later of both instants.
constexpr std::uint64_t widest(std::uint64_t a, std::uint64_t b) noexcept {
    return meta_of(std::max(issued_until_of(a), issued_until_of(b)),
                   std::max(expires_of(a), expires_of(b)));
}

// Readers load everything with acquire and writers store with release, so that a reader who sees a
// store sees all that were made before it: the order of stores below is the order for everybody.
// Both cost nothing on x86.
std::uint64_t load(const std::byte* at) noexcept {
    return word_at(at).load(std::memory_order_acquire);
}
void store(std::byte* at, std::uint64_t value) noexcept {
    word_at(at).store(value, std::memory_order_release);
}

// The octet of the digest that plays the smallest part in choosing buckets.
constexpr std::uint64_t tag_of(std::uint64_t high) noexcept {
    return (high & 0xff) == 0 ? 1 : high & 0xff;
}

// The top bit of each octet of `tags` that is `tag`, and sometimes of one above such an octet.
constexpr std::uint64_t matches_of(std::uint64_t tags, std::uint64_t tag) noexcept {
    const std::uint64_t differences = tags ^ tag * kEachTag;
    return (differences - kEachTag) & ~differences & kEachTag << 7;
}

std::uint64_t word_of(const std::uint8_t* octets) noexcept {
    std::uint64_t word;
    std::memcpy(&word, octets, sizeof word);
    return word;
}

}  // namespace

std::string_view name_of(RevocationKind kind) noexcept {
    return kNames[static_cast<std::size_t>(kind)];
}

std::optional<RevocationKind> find_revocation_kind(std::string_view name) noexcept {
    const auto found = std::ranges::find(kNames, name);
    if (found == kNames.end()) return std::nullopt;
    return static_cast<RevocationKind>(found - kNames.begin());
}

RevocationDigest digest_revocation(const SipKey& seed, RevocationKind kind, std::string_view issuer,
                                   std::string_view value) noexcept {
    constexpr std::size_t kPrefix = 1 + 2 * sizeof(std::uint64_t);
    constexpr std::uint8_t kHashed = 0x80;
    std::array<std::uint8_t, 1024> message;
    message[0] = static_cast<std::uint8_t>(kind);
    const std::array<std::uint64_t, 2> sizes{issuer.size(), value.size()};
    std::memcpy(&message[1], sizes.data(), sizeof sizes);

    // What does not fit stands there by its own digest, under a kind that nothing else has.
    SipDigest issuer_digest;
    SipDigest value_digest;
    if (issuer.size() + value.size() > message.size() - kPrefix) {
        message[0] |= kHashed;
        issuer_digest = siphash128(seed, bytes_of(issuer));
        value_digest = siphash128(seed, bytes_of(value));
        issuer = text_of(issuer_digest);
        value = text_of(value_digest);
    }
    std::size_t size = kPrefix;
    for (const std::string_view part : {issuer, value}) {
        if (!part.empty()) std::memcpy(&message[size], part.data(), part.size());
        size += part.size();
    }
    const SipDigest digest = siphash128(seed, {message.data(), size});
    const std::uint64_t high = word_of(digest.data());
    return {high == 0 ? 1 : high, word_of(digest.data() + 8)};
}

struct Revocations::Search {
    std::uint64_t high;
    std::optional<std::uint64_t> low;  // nullopt: whatever it is
    std::uint32_t issued;
    std::uint32_t now;
};

// Where an entry stands; `bucket` is nullptr for nowhere.
struct Revocations::Slot {
    std::byte* tags = nullptr;
    std::byte* entry = nullptr;
    unsigned shift = 0;  // of its tag

    explicit operator bool() const noexcept { return entry != nullptr; }
    std::byte* meta() const noexcept { return entry + kMeta; }
    RevocationDigest digest() const noexcept { return {load(entry + kHigh), load(entry + kLow)}; }
    bool free(std::uint32_t now) const noexcept {
        const std::uint64_t value = load(meta());
        return value == 0 || expired(expires_of(value), now);
    }
    void set_tag(std::uint64_t tag) const noexcept {
        const std::uint64_t others = load(tags) & ~(std::uint64_t{0xff} << shift);
        store(tags, others | tag << shift);
    }
};

struct Revocations::Pair {
    std::array<std::size_t, 2> bucket;
    std::size_t count() const noexcept { return bucket[0] == bucket[1] ? 1 : 2; }
};

Revocations::Revocations(std::span<std::byte> memory) noexcept
    : head_(memory.data()),
      bucket_count_(memory.size() < kHeadSize
                        ? 0
                        : (memory.size() - kHeadSize) / (kSlots * kEntrySize + kTagsSize)) {
    while (bucket_count_ != 0 && size_for(bucket_count_) > memory.size()) --bucket_count_;
    buckets_ = head_ + size_for(bucket_count_) - bucket_count_ * kSlots * kEntrySize;
}

Revocations::Pair Revocations::pair_of(std::uint64_t high) const noexcept {
    const std::size_t first = place_of(high, bucket_count_);
    const std::size_t second = place_of(std::rotl(high, 32), bucket_count_);
    if (first != second) return {{first, second}};
    return {{first, (first + 1) % bucket_count_}};
}

Revocations::Slot Revocations::slot_at(std::size_t bucket, std::size_t slot) const noexcept {
    return {head_ + kHeadSize + bucket * kTagsSize,
            buckets_ + (bucket * kSlots + slot) * kEntrySize, static_cast<unsigned>(8 * slot)};
}

bool Revocations::bucket_kills(std::size_t bucket, const Search& search) const noexcept {
    const std::uint64_t tags = load(head_ + kHeadSize + bucket * kTagsSize);
    std::uint64_t matches = matches_of(tags, tag_of(search.high));
    for (; matches != 0; matches &= matches - 1) {
        const Slot slot = slot_at(bucket, static_cast<std::size_t>(std::countr_zero(matches)) / 8);
        const RevocationDigest digest = slot.digest();
        if (digest.high != search.high || (search.low && digest.low != *search.low)) continue;
        GATE_FAILPOINT("revocations.read_meta");
        const std::uint64_t meta = load(slot.meta());
        if (meta == 0 || expired(expires_of(meta), search.now) ||
            search.issued > issued_until_of(meta)) {
            continue;
        }
        // The slot may have passed to another entry in between; then `meta` may be that one's.
        if (slot.digest() == digest) return true;
    }
    return false;
}

// An entry that goes from one bucket to the other is written there, counted in kMoves, and taken
// away here, in this order. Whoever missed it, looking here too late and there too early, finds
// that the count has grown.
bool Revocations::kills(const Search& search) const noexcept {
    if (bucket_count_ == 0) return false;
    const Pair pair = pair_of(search.high);
    __builtin_prefetch(head_ + kHeadSize + pair.bucket[1] * kTagsSize);
    for (;;) {
        const std::uint64_t moves = load(head_ + kMoves);
        if (bucket_kills(pair.bucket[0], search)) return true;
        GATE_FAILPOINT("revocations.read_second");
        if (bucket_kills(pair.bucket[1], search)) return true;
        if (load(head_ + kMoves) == moves) return false;
    }
}

bool Revocations::revoked(const RevocationDigest& digest, std::uint32_t issued,
                          std::uint32_t now) const noexcept {
    return kills({digest.high, digest.low, issued, now});
}

bool Revocations::may_hold(std::uint64_t high, std::uint32_t issued,
                           std::uint32_t now) const noexcept {
    return kills({high, std::nullopt, issued, now});
}

// Between the two the process may die with the change in force and nobody told of it. Whoever
// writes next tells.
void Revocations::begin_change() noexcept {
    GATE_FAILPOINT("revocations.begin");
    store(head_ + kPending, 1);
}

void Revocations::end_change() noexcept {
    GATE_FAILPOINT("revocations.changes");
    store(head_ + kChanges, load(head_ + kChanges) + 1);
    GATE_FAILPOINT("revocations.end");
    store(head_ + kPending, 0);
}

void Revocations::fill(const Slot& slot, const RevocationDigest& digest,
                       std::uint64_t meta) noexcept {
    // First, and last in clear(): a size that is too small would hide entries from who asks it.
    GATE_FAILPOINT("revocations.fill_size");
    store(head_ + kSize, load(head_ + kSize) + 1);
    GATE_FAILPOINT("revocations.fill_tag");
    slot.set_tag(tag_of(digest.high));
    GATE_FAILPOINT("revocations.fill_low");
    store(slot.entry + kLow, digest.low);
    GATE_FAILPOINT("revocations.fill_high");
    store(slot.entry + kHigh, digest.high);
    GATE_FAILPOINT("revocations.fill_meta");
    store(slot.meta(), meta);
}

void Revocations::clear(const Slot& slot) noexcept {
    GATE_FAILPOINT("revocations.clear_meta");
    store(slot.meta(), 0);
    GATE_FAILPOINT("revocations.clear_tag");
    slot.set_tag(0);
    GATE_FAILPOINT("revocations.clear_size");
    store(head_ + kSize, load(head_ + kSize) - 1);
}

// Whether the entry is there already. It may be there twice, when a writer died moving it; the
// second goes once the first is wide enough for both.
bool Revocations::widen(const Pair& pair, const RevocationEntry& entry,
                        std::uint32_t now) noexcept {
    Slot known;
    for (std::size_t i = 0; i < pair.count(); ++i) {
        for (std::size_t j = 0; j < kSlots; ++j) {
            const Slot slot = slot_at(pair.bucket[i], j);
            const std::uint64_t meta = load(slot.meta());
            if (meta == 0 || slot.digest() != entry.digest) continue;
            if (known) {
                clear(slot);
                continue;
            }
            known = slot;
            std::uint64_t wide = meta_of(entry.issued_until, entry.expires);
            if (!expired(expires_of(meta), now)) wide = widest(wide, meta);
            if (wide == meta) continue;
            begin_change();
            GATE_FAILPOINT("revocations.widen");
            store(slot.meta(), wide);
            end_change();
        }
    }
    return static_cast<bool>(known);
}

// A free slot in the emptier bucket of the pair.
Revocations::Slot Revocations::room(const Pair& pair, std::uint32_t now) noexcept {
    Slot best;
    std::size_t most = 0;
    for (std::size_t i = 0; i < pair.count(); ++i) {
        Slot found;
        std::size_t count = 0;
        for (std::size_t j = 0; j < kSlots; ++j) {
            const Slot slot = slot_at(pair.bucket[i], j);
            if (!slot.free(now)) continue;
            if (count++ == 0) found = slot;
        }
        if (count > most) {
            most = count;
            best = found;
        }
    }
    return best ? best : room_by_moving(pair, now);
}

// Where in `bucket` an entry can go: to its own copy, which a dead writer left, or a free slot.
Revocations::Slot Revocations::target(std::size_t bucket, const RevocationDigest& digest,
                                      std::uint32_t now) const noexcept {
    Slot found;
    for (std::size_t i = 0; i < kSlots; ++i) {
        const Slot slot = slot_at(bucket, i);
        if (load(slot.meta()) != 0 && slot.digest() == digest) return slot;
        if (!found && slot.free(now)) found = slot;
    }
    return found;
}

Revocations::Slot Revocations::room_by_moving(const Pair& pair, std::uint32_t now) noexcept {
    for (const std::size_t here : pair.bucket) {
        for (std::size_t i = 0; i < kSlots; ++i) {
            const Slot from = slot_at(here, i);
            const RevocationDigest digest = from.digest();
            const Pair homes = pair_of(digest.high);
            const std::size_t there = homes.bucket[homes.bucket[0] == here ? 1 : 0];
            if (there == here) continue;
            const Slot to = target(there, digest, now);
            if (!to) continue;
            if (to.free(now) || to.digest() != digest) {
                if (load(to.meta()) != 0) clear(to);
                fill(to, digest, load(from.meta()));
            }
            GATE_FAILPOINT("revocations.moves");
            store(head_ + kMoves, load(head_ + kMoves) + 1);
            clear(from);
            return from;
        }
    }
    return {};
}

Revocations::Put Revocations::put(const RevocationEntry& entry, std::uint32_t now) noexcept {
    if (load(head_ + kPending) != 0) end_change();
    if (expired(entry.expires, now)) return Put::kKnown;
    Slot slot;
    if (bucket_count_ != 0) {
        const Pair pair = pair_of(entry.digest.high);
        if (widen(pair, entry, now)) return Put::kKnown;
        slot = room(pair, now);
    }
    if (!slot) {
        set_overflowed(true);
        return Put::kFull;
    }
    begin_change();
    if (load(slot.meta()) != 0) clear(slot);
    fill(slot, entry.digest, meta_of(entry.issued_until, entry.expires));
    end_change();
    return Put::kAdded;
}

void Revocations::note_change() noexcept {
    begin_change();
    end_change();
}

void Revocations::set_overflowed(bool value) noexcept {
    GATE_FAILPOINT("revocations.overflowed");
    store(head_ + kOverflowed, value ? 1 : 0);
}

std::size_t Revocations::sweep(std::size_t bucket, std::size_t count, std::uint32_t now) noexcept {
    for (; count > 0 && bucket < bucket_count_; --count, ++bucket) {
        for (std::size_t i = 0; i < kSlots; ++i) {
            const Slot slot = slot_at(bucket, i);
            const std::uint64_t meta = load(slot.meta());
            if (meta != 0 && expired(expires_of(meta), now)) clear(slot);
        }
    }
    return bucket < bucket_count_ ? bucket : 0;
}

std::size_t Revocations::capacity() const noexcept {
    return bucket_count_ * kSlots;
}

std::size_t Revocations::size() const noexcept {
    return load(head_ + kSize);
}

bool Revocations::read_slot(std::size_t bucket, std::size_t slot,
                            RevocationEntry& entry) const noexcept {
    const Slot from = slot_at(bucket, slot);
    const std::uint64_t meta = load(from.meta());
    if (meta == 0) return false;
    entry = {from.digest(), issued_until_of(meta), expires_of(meta)};
    return true;
}

}  // namespace gate::cache
