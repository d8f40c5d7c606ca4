// Watched files: a timer in each worker takes over what changed on disk, once it is whole.
#pragma once

#include "nginx/ngx.h"

namespace gate::nginx {

// For init_process of processes that serve requests. NGX_ERROR only when out of memory.
ngx_int_t start_watching(ngx_cycle_t* cycle);

// For exit_process of the same.
void stop_watching();

}  // namespace gate::nginx
