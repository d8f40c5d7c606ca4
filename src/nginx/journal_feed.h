// Journals of revocations on their way into the zone: read to their end before anything is served,
// then followed by whichever worker sees them grow first.
#pragma once

#include <cstdint>
#include <optional>

#include "base/reason.h"
#include "nginx/journal_reader.h"
#include "nginx/ngx.h"
#include "nginx/zone.h"

namespace gate::nginx {

// Reads all journals of the zone to their end, in the master. NGX_ERROR after a message when one is
// damaged, cannot be read or does not fit: nothing may be served then.
ngx_int_t load_journals(ZoneConf& conf, ngx_log_t* log);

// Lets `fresh` go on where `old` is.
void copy_journal_states(cache::Zone& old, cache::Zone& fresh);

// For init_process and exit_process.
void start_journal_feeds(ZoneConf& conf);
void stop_journal_feeds();

// Milliseconds since all of the journal was known to be applied; nullopt: the zone does not follow
// it.
inline std::optional<std::uint64_t> lag_of(const ZoneConf& conf,
                                           const JournalConf& journal) noexcept {
    if (journal.state == nullptr) journal.state = journal_state(*conf.zone, journal.path);
    if (journal.state == nullptr) return std::nullopt;
    const std::uint64_t in_step = journal.state->in_step.load(std::memory_order_relaxed);
    return ngx_current_msec > in_step ? ngx_current_msec - in_step : 0;
}

// Whether some journal or store has not been applied for longer than it may be.
bool lags(const ZoneConf& conf) noexcept;

// kRevocationLag or kRevocationFull while it cannot be known what is revoked, else kNone. What
// follows is asked for its lag once in a turn of the event loop.
[[gnu::always_inline]] inline Reason revocations_unknown(const ZoneConf& conf) noexcept {
    if (conf.zone->revocations.overflowed()) return Reason::kRevocationFull;
    if (!conf.follows || conf.in_step_at == ngx_current_msec) return Reason::kNone;
    if (lags(conf)) return Reason::kRevocationLag;
    conf.in_step_at = ngx_current_msec;
    return Reason::kNone;
}

}  // namespace gate::nginx
