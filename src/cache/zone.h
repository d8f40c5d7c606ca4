// The whole of the gate's shared memory: a header and one part for each thing kept in it. How the
// parts lie follows from the size and the layout version alone, never from the configuration, so
// that a reload, and an old worker beside a new one, find everything where it was.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/siphash.h"
#include "cache/counters.h"
#include "cache/fingerprint.h"
#include "cache/node_facts.h"
#include "cache/revocations.h"
#include "cache/table.h"
#include "cache/token_bucket.h"

namespace gate::cache {

inline constexpr std::uint32_t kLayoutVersion = 3;

// Slots: a verdict is 96 octets behind the head of its slot; key records come in two sizes, an
// unknown key needs nothing but its slot.
inline constexpr std::size_t kVerdictSlot = 128;
inline constexpr std::size_t kRecordSlot = 512;
inline constexpr std::size_t kLargeRecordSlot = 4096;
inline constexpr std::size_t kUnknownSlot = 64;

// How far one journal has been applied to the revocations. `owner` is the process that is at it;
// the rest is written by the owner only.
struct JournalState {
    std::atomic<std::uint64_t> path_digest;  // 0: free
    std::atomic<std::uint64_t> owner;        // process id, 0: nobody
    std::atomic<std::uint64_t> device;
    std::atomic<std::uint64_t> inode;
    std::atomic<std::uint64_t> offset;   // octets applied
    std::atomic<std::uint64_t> line;     // lines applied
    std::atomic<std::uint64_t> changed;  // ctime of the file when all of it was applied, ns
    std::atomic<std::uint64_t> tail;     // keyed digest of the last octets before offset
    std::atomic<std::uint64_t> in_step;  // when all of it was applied last, CLOCK_MONOTONIC ms
};
inline constexpr std::size_t kJournals = 16;

// How far the changes of one store have been applied, and by whom. One process follows the store,
// the leader; all but `name` and `lead` is written by it only.
struct StreamState {
    std::atomic<std::uint64_t> name;  // digest of the store's name; 0: free
    LeadState lead;
    // Digest of where the store was when it was found to be that one; what follows says nothing of
    // a store anywhere else.
    std::atomic<std::uint64_t> place;
    // Digest of the store's epoch under which all of it was loaded; 0: never.
    std::atomic<std::uint64_t> epoch;
    // The entry of its stream up to which all is applied and nothing was missing. Whatever a leader
    // that dies between the two leaves here is no later than that.
    std::atomic<std::uint64_t> last_time;
    std::atomic<std::uint64_t> last_number;
    std::atomic<std::uint64_t> in_step;  // when all of it was applied last, CLOCK_MONOTONIC ms
    // Second of CLOCK_MONOTONIC: what the store was asked for before may be outdated, for changes
    // were missed.
    std::atomic<std::uint64_t> records_since;
};
inline constexpr std::size_t kStreams = 8;

struct ZoneHeader {
    std::uint64_t magic;
    std::uint32_t layout_version;
    std::atomic<std::uint32_t> dirty;  // being made: nobody may use it
    std::uint64_t size;                // octets of the whole
    SipKey seed;                       // of digests that stand in the zone
    JournalState journals[kJournals];
    StreamState streams[kStreams];
    FingerprintKey fingerprint_key;
    LeadState health_lead;  // who judges the integrations
    IntegrationState integrations[kIntegrations];
    RedisState redis[kRedisStates];
};

struct Extent {
    std::size_t offset = 0;
    std::size_t size = 0;
};

struct Layout {
    Extent verdicts, records, large_records, unknown_keys, revocations, buckets, counters;
};

// nullopt when `size` is below kMinZone.
inline constexpr std::size_t kMinZone = std::size_t{768} << 10;
std::optional<Layout> layout_of(std::size_t size) noexcept;

// The lock that all writers share; try_lock gives up after a short while.
struct WriterLock {
    bool (*try_lock)(void*) noexcept = nullptr;
    void (*unlock)(void*) noexcept = nullptr;
    void* data = nullptr;
};

// A process's view of a zone.
class Zone {
public:
    enum class Problem : std::uint8_t { kNone, kTooSmall, kForeign, kOtherLayout, kUnfinished };

    // Makes an empty zone of zero-filled memory (aligned to 64 octets); `random` supplies its keys
    // and has to fill all it is given. kTooSmall.
    static Problem format(std::span<std::byte> memory,
                          std::span<const std::uint8_t> random) noexcept;
    static constexpr std::size_t kRandomSize = sizeof(SipKey) + sizeof(FingerprintKey);

    // Whether this memory holds a zone that this code can use.
    static Problem check(std::span<const std::byte> memory) noexcept;

    // `memory` has passed check(). The view is valid as long as the memory.
    Zone(std::span<std::byte> memory, WriterLock lock) noexcept;
    Zone(const Zone&) = delete;
    Zone& operator=(const Zone&) = delete;

    Revocations revocations;  // first, as each request looks at it
    Table verdicts;
    Table records;
    Table large_records;
    Table unknown_keys;
    TokenBuckets buckets;
    Counters counters;

    const FingerprintKey& fingerprint_key() const noexcept { return header_->fingerprint_key; }
    const SipKey& seed() const noexcept { return header_->seed; }
    // Keeps the digests of another zone valid in this one: for a fresh zone that takes over
    // another's revocations.
    void adopt_seed(const Zone& other) noexcept { header_->seed = other.header_->seed; }
    std::span<JournalState, kJournals> journals() noexcept { return header_->journals; }
    std::span<StreamState, kStreams> streams() noexcept { return header_->streams; }
    LeadState& health_lead() noexcept { return header_->health_lead; }
    std::span<IntegrationState, kIntegrations> integrations() noexcept {
        return header_->integrations;
    }
    std::span<RedisState, kRedisStates> redis() noexcept { return header_->redis; }
    std::size_t size() const noexcept { return header_->size; }

    class Writer {
    public:
        explicit Writer(const WriterLock& lock) noexcept
            : lock_(lock.try_lock(lock.data) ? &lock : nullptr) {}
        Writer(const Writer&) = delete;
        Writer& operator=(const Writer&) = delete;
        ~Writer() {
            if (lock_ != nullptr) lock_->unlock(lock_->data);
        }
        explicit operator bool() const noexcept { return lock_ != nullptr; }

    private:
        const WriterLock* lock_;
    };
    // Tests as false where the lock was not to be had: what was to be written is left out, or tried
    // again later.
    Writer try_write() const noexcept { return Writer(lock_); }

private:
    Zone(std::span<std::byte> memory, const Layout& layout, WriterLock lock) noexcept;
    ZoneHeader* header_;
    WriterLock lock_;
};

}  // namespace gate::cache
