// Journals of revocations on their way into the zone: read to their end before anything is served,
// then followed by whichever worker sees them grow first.
#pragma once

#include <cstdint>
#include <optional>

#include "base/reason.h"
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
std::optional<std::uint64_t> lag_of(const ZoneConf& conf, const JournalConf& journal) noexcept;

// kRevocationLag or kRevocationFull while it cannot be known what is revoked, else kNone. Costs a
// few loads.
Reason revocations_unknown(const ZoneConf& conf) noexcept;

}  // namespace gate::nginx
