// What the workers of a machine tell one another about the things the gate depends on. Instants are
// milliseconds of CLOCK_MONOTONIC, 0: never. Any worker writes what it knows; all accesses are
// relaxed, for no fact says anything about another one.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace gate::cache {

// Which process does something for all. See nginx/lead.h.
struct LeadState {
    std::atomic<std::uint64_t> leader;      // process id, 0: nobody
    std::atomic<std::uint64_t> generation;  // how many leaders there have been
    std::atomic<std::uint64_t> heartbeat;   // of the leader
};

// A short text that one process writes at a time. A writer that dies in between leaves a text that
// reads as empty until the next one is written.
class SharedText {
public:
    static constexpr std::size_t kMaxSize = 119;  // octets; longer ones are cut

    void write(std::string_view text) noexcept;
    std::string read() const;

private:
    static constexpr std::size_t kWords = 15;
    static_assert(kMaxSize < kWords * sizeof(std::uint64_t));  // and an end

    std::atomic<std::uint64_t> sequence_;  // odd while it is written
    std::array<std::atomic<std::uint64_t>, kWords> words_;
};

// Something whose state is watched.
struct IntegrationState {
    std::atomic<std::uint64_t> name;       // digest of its kind and name; 0: free
    std::atomic<std::uint64_t> seen;       // some worker had it in its configuration
    std::atomic<std::uint64_t> withdrawn;  // a worker had nothing of it in force
    std::atomic<std::uint64_t> stale;      // a worker had to keep what was good last
    // Unix second of the last change << 8 | state + 1; 0: never judged. Who exchanges it tells.
    std::atomic<std::uint64_t> judged;
    SharedText reason;
};
inline constexpr std::size_t kIntegrations = 64;

// A gate_redis block.
struct RedisState {
    static constexpr std::size_t kWorkers = 16;  // a worker's number modulo this has a place

    std::atomic<std::uint64_t> name;     // digest; 0: free
    std::atomic<std::uint64_t> seen;     // as above
    std::atomic<std::uint64_t> ready;    // a worker had a connection
    std::atomic<std::uint64_t> answer;   // it said something
    std::atomic<std::uint64_t> failure;  // a connection or a question failed
    std::atomic<std::uint64_t> filled;   // the store had an epoch
    std::atomic<std::uint64_t> empty;    // it had none
    std::atomic<std::uint64_t> epoch;    // the first 48 bits of the SHA-256 of its epoch; 0: none
    std::array<std::atomic<std::uint32_t>, kWorkers> waiting;  // questions in each worker
};
inline constexpr std::size_t kRedisStates = 16;

// Several processes may know of the same thing at once: the latest one stays.
inline void note_latest(std::atomic<std::uint64_t>& at, std::uint64_t now) noexcept {
    if (at.load(std::memory_order_relaxed) < now) at.store(now, std::memory_order_relaxed);
}

// The place of that name among `all`: a free one is claimed, or one that no worker has had in its
// configuration for a minute, which is emptied. nullptr: there is none.
IntegrationState* place_for(std::span<IntegrationState> all, std::uint64_t name,
                            std::uint64_t now) noexcept;
RedisState* place_for(std::span<RedisState> all, std::uint64_t name, std::uint64_t now) noexcept;

}  // namespace gate::cache
