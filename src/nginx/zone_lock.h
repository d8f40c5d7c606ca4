// The lock that all writers of the zone share: nginx's own for the zone, the only one that the
// master takes away from a worker that died. It is tried and never waited for: its holder may be
// stopped, of an old cycle, or without a master.
#pragma once

#include "cache/zone.h"
#include "nginx/ngx.h"

namespace gate::nginx {

// Tries for at most 20 microseconds. A holder that has been the same for 100 ms and is no process
// any more loses it.
cache::WriterLock writer_lock(ngx_slab_pool_t* pool) noexcept;

}  // namespace gate::nginx
