// What a store across the network said of an API key, kept in shared memory: its record, or that
// there is none. Any worker answers a Need from here without asking the store again.
//
// A key has one entry at most: a record in one of two sizes, or, in a part of its own that invented
// keys may fill as they like, "no such key" or "changed". An entry is named by the key's digest and
// the store's epoch, and sealed by a keyed digest of all of it: what is torn, damaged or of another
// store is not known. Neither keys nor their digests stand in the zone.
//
// `clock` and `asked` are seconds of a clock that is never set (CLOCK_MONOTONIC) and is the same in
// all processes: entries neither live on nor die when the time of day is changed.
#pragma once

#include <optional>

#include "base/time.h"
#include "cache/zone.h"
#include "policy/engine.h"

namespace gate::policy {

// How many seconds the store's word counts, from the moment it was asked.
struct RecordLife {
    Seconds valid = 60;
    Seconds negative = 5;  // of "no such key"
};

// The answer to `need`: a record, or none for "no such key". nullopt: ask the store. A record is as
// the store gave it, of whatever status and dates: it is judged on each request. What the store was
// asked for before the second `since` does not count.
std::optional<Answer> recall_record(const cache::Zone& zone, const Need& need, Seconds clock,
                                    Seconds since = 0);

// Keeps what the store, asked at `asked`, answered; a failure or the record of another key is not
// kept, nor an answer older than what is known, nor a record of more than about 4,000 octets. Where
// the zone's lock is taken, all stays as it was.
void remember_record(cache::Zone& zone, const Need& need, const Answer& answer,
                     const RecordLife& life, Seconds asked, Seconds clock);

// The key's record has changed, or may have: nothing is known of it, answers of before that are
// still on their way are not kept, and whoever noted Revocations::changes() looks again. False: the
// zone's lock is taken, try again soon.
[[nodiscard]] bool forget_record(cache::Zone& zone, const Need& need, Seconds clock);

}  // namespace gate::policy
