// The exact set of what is revoked: 128-bit digests, each with the instant up to which it kills and
// the instant from which it may be forgotten. Never evicted. Readers take no lock; the caller of
// what changes the set holds the zone's writer lock. What a dead writer left half done is harmless:
// its entry was never acknowledged, and applying it again completes it.
//
// Buckets of 8 entries, each entry in one of two buckets that its digest names. Where both are full
// an entry of theirs goes over to its other bucket, so that the set takes entries until nine tenths
// of it are in use. An octet of each digest stands in an array of tags, 8 octets a bucket: looking
// for what is not there touches two places of that small array and hardly ever an entry.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "base/siphash.h"
#include "cache/words.h"

namespace gate::cache {

// What a revocation names. kAll: every credential of an issuer, or of everybody (issuer "*").
enum class RevocationKind : std::uint8_t { kJti, kToken, kSubject, kSession, kClient, kKey, kAll };

// "jti", "tok", "sub", "sid", "client", "key", "all".
std::string_view name_of(RevocationKind kind) noexcept;
std::optional<RevocationKind> find_revocation_kind(std::string_view name) noexcept;

struct RevocationDigest {
    std::uint64_t high = 0;  // never 0
    std::uint64_t low = 0;
    bool operator==(const RevocationDigest&) const = default;
};

// SipHash over kind, issuer and value, each with its length; `issuer` is the exact "iss" of a
// token, or the name of an API key's store. Readers that kept only `high` ask may_hold().
RevocationDigest digest_revocation(const SipKey& seed, RevocationKind kind, std::string_view issuer,
                                   std::string_view value) noexcept;

// Seconds since the epoch, saturated.
inline constexpr std::uint32_t kEveryInstant = 0xffffffff;  // kills whenever it was issued
inline constexpr std::uint32_t kNeverForgotten = 0xffffffff;

struct RevocationEntry {
    RevocationDigest digest;
    std::uint32_t issued_until = kEveryInstant;  // kills what was issued at this second or earlier
    std::uint32_t expires = kNeverForgotten;     // from this second on it may be forgotten
};

class Revocations {
public:
    static constexpr std::size_t kSlots = 8;  // of a bucket
    static constexpr std::size_t kEntrySize = 24;
    static constexpr std::size_t kHeadSize = 128;
    // Memory that holds so many buckets of 8 entries.
    static constexpr std::size_t size_for(std::size_t buckets) noexcept {
        return kHeadSize + (8 * buckets + 63) / 64 * 64 + buckets * kSlots * kEntrySize;
    }

    // Zero-filled memory, aligned to 64 octets, is an empty set. It has at least kHeadSize octets.
    explicit Revocations(std::span<std::byte> memory) noexcept;

    // Lock-free. Whether a credential that was issued at `issued` (0: unknown, counts as ever so
    // long ago) is dead at `now`.
    bool revoked(const RevocationDigest& digest, std::uint32_t issued,
                 std::uint32_t now) const noexcept;
    // Lock-free. The same knowing only digest.high: false is exact, true asks for a closer look.
    bool may_hold(std::uint64_t high, std::uint32_t issued, std::uint32_t now) const noexcept;

    // Grows with every change that may kill something, before put() returns (release; pairs with
    // the acquire here): an answer of revoked() stays true while this has the value it had before.
    std::uint64_t changes() const noexcept {
        return word_at(head_ + kChanges).load(std::memory_order_acquire);
    }

    // kAdded: a new entry. kKnown: it was there, and is widened where that was needed; also what
    // has expired at `now` already. kFull: refused.
    enum class Put : std::uint8_t { kAdded, kKnown, kFull };
    // Writer lock held. An entry that is there already is widened: the later of both instants. A
    // full set takes nothing, and says so in overflowed().
    Put put(const RevocationEntry& entry, std::uint32_t now) noexcept;
    // Some put() was refused: what is revoked is no longer known in full.
    bool overflowed() const noexcept {
        return word_at(head_ + kOverflowed).load(std::memory_order_acquire) != 0;
    }
    void set_overflowed(bool value) noexcept;

    // Writer lock held. Something else than an entry has changed that may kill: changes() grows.
    void note_change() noexcept;

    // Writer lock held. Frees expired entries of up to `count` buckets from `bucket` on; the bucket
    // to go on with, 0 after the last.
    std::size_t sweep(std::size_t bucket, std::size_t count, std::uint32_t now) noexcept;

    std::size_t capacity() const noexcept;  // entries
    // Entries in use, expired ones too. A writer's death may leave it too large by one, never too
    // small: 0 means that nothing is revoked.
    std::size_t size() const noexcept;
    std::size_t buckets() const noexcept { return bucket_count_; }

    // Every live entry, for copying into another set. The writers must rest. After a writer's death
    // one of them may come twice.
    template <class Visit>
    void each(Visit&& visit) const {
        RevocationEntry entry;
        for (std::size_t bucket = 0; bucket < bucket_count_; ++bucket) {
            for (std::size_t slot = 0; slot < kSlots; ++slot) {
                if (read_slot(bucket, slot, entry)) visit(std::as_const(entry));
            }
        }
    }

private:
    // The head: a cache line that readers look at, and one for writers only.
    static constexpr std::size_t kChanges = 0;
    static constexpr std::size_t kMoves = 8;  // entries that have gone over to their other bucket
    static constexpr std::size_t kOverflowed = 16;
    static constexpr std::size_t kSize = 24;
    static constexpr std::size_t kPending = 64;  // not 0: a change that changes() does not tell yet

    struct Search;
    struct Slot;
    struct Pair;

    Pair pair_of(std::uint64_t high) const noexcept;
    Slot slot_at(std::size_t bucket, std::size_t slot) const noexcept;
    bool kills(const Search& search) const noexcept;
    bool bucket_kills(std::size_t bucket, const Search& search) const noexcept;
    bool read_slot(std::size_t bucket, std::size_t slot, RevocationEntry& entry) const noexcept;

    bool widen(const Pair& pair, const RevocationEntry& entry, std::uint32_t now) noexcept;
    Slot room(const Pair& pair, std::uint32_t now) noexcept;
    Slot target(std::size_t bucket, const RevocationDigest& digest,
                std::uint32_t now) const noexcept;
    Slot room_by_moving(const Pair& pair, std::uint32_t now) noexcept;
    void fill(const Slot& slot, const RevocationDigest& digest, std::uint64_t meta) noexcept;
    void clear(const Slot& slot) noexcept;
    void begin_change() noexcept;
    void end_change() noexcept;

    std::byte* head_;
    std::byte* buckets_;
    std::size_t bucket_count_;
};

}  // namespace gate::cache
