// Counting final decisions in the zone: the one place that does so.
#pragma once

#include <array>
#include <cstdint>

#include "cache/counters.h"

namespace gate::nginx {

class Record;

// Where a worker remembers where a kind of decision is counted, so that counting another one is a
// probe and an addition.
struct SeriesMemo {
    struct alignas(32) Entry {  // never on two cache lines
        const void* server = nullptr;
        const void* source = nullptr;  // issuer or store
        std::uint32_t what = 0;        // credential, status, reason and cache; 0: free
        cache::Counters::Place place;
    };
    static constexpr unsigned kBits = 9;
    std::array<Entry, 1 << kBits> entries{};
};

// Nothing without a zone, or where no gate has decided. Throws bad_alloc.
void count_decision(const Record& record);
// The same for a decision of a gate, of a kind that this worker has counted before; false, with
// nothing done, for another.
bool count_again(const Record& record) noexcept;

}  // namespace gate::nginx
