// What of all workers of a machine one does at a time, in turn, so that a server is not asked more
// often the more workers there are.
#pragma once

#include "nginx/ngx.h"

namespace gate::nginx {

// Workers of this configuration; 1 in a process that is alone.
ngx_msec_t worker_count() noexcept;

// Milliseconds, at least 1, until it is this worker's turn, where each turn takes `length`. One
// clock of the machine tells it to all.
ngx_msec_t until_turn(ngx_msec_t length) noexcept;

}  // namespace gate::nginx
