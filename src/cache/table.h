// A set-associative hash table of fixed slots in shared memory: fingerprint -> a few words, with
// expiry. Readers take no lock; the caller of what changes the table holds the zone's writer lock.
//
// A slot is a 32-octet head (sequence counter, second of last use, expiry, fingerprint) and its
// payload. The sequence is odd while a writer is at work: such a slot reads as absent, and the next
// writer that needs it repairs one that a dead writer left odd. Each fingerprint may stand in one
// of two sets of 8 slots; a new entry goes to the emptier set, in place of (in this order) a free,
// an expired, or the least recently used slot, which is the oldest of both sets where both are
// full. An entry that was never used counts as 30 s older than it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "cache/fingerprint.h"

namespace gate::cache {

class Table {
public:
    static constexpr std::size_t kHeadSize = 32;
    static constexpr std::size_t kWays = 8;

    // Zero-filled memory is an empty table. `memory` is aligned to 64 octets and holds a small head
    // of its own (64 octets: occupancy) and at least one set; `slot_size` is a multiple of 64. The
    // geometry follows from the two sizes alone.
    Table(std::span<std::byte> memory, std::size_t slot_size) noexcept;

    std::size_t payload_words() const noexcept;  // of 64 bits
    std::size_t capacity() const noexcept;       // slots
    // Slots in use, expired ones too. For each writer that died it may be one too high.
    std::size_t occupied() const noexcept;

    // Copies the payload of an entry that has not expired at `now` (seconds, any epoch of the
    // caller's; expires > now). No lock, no allocation, never blocks; false also while the entry is
    // being written. `payload` has at most payload_words() words. Marks the entry as used.
    bool find(const Fingerprint& key, std::uint32_t now,
              std::span<std::uint64_t> payload) const noexcept;

    // Puts or replaces an entry, all words of its payload: those not given are 0. With expires <=
    // now only removes one that is there. Writer lock held.
    void insert(const Fingerprint& key, std::uint32_t now, std::uint32_t expires,
                std::span<const std::uint64_t> payload) noexcept;

    // Changes one word of an entry's payload; false when it is not there. Writer lock held.
    bool update(const Fingerprint& key, std::size_t word, std::uint64_t value) noexcept;

    // Removes an entry; false when it is not there. Writer lock held.
    bool erase(const Fingerprint& key) noexcept;

private:
    struct Home;
    Home home(const Fingerprint& key) const noexcept;
    // The slot of an entry, expired or not; repairs every slot it passes.
    std::byte* locate(const Fingerprint& key) noexcept;
    std::byte* choose(const Fingerprint& key, std::uint32_t now) noexcept;
    void repair(std::byte* slot) noexcept;
    void clear(std::byte* slot) noexcept;
    void remove(std::byte* slot) noexcept;

    std::byte* head_;
    std::byte* slots_;
    std::size_t slot_size_;
    std::size_t sets_;
};

}  // namespace gate::cache
