// Watched files: a timer in each worker takes over what changed on disk, once it is whole.
#pragma once

#include <string>

#include "nginx/ngx.h"
#include "nginx/watch_task.h"

namespace gate::nginx {

// For init_process of processes that serve requests. NGX_ERROR only when out of memory.
ngx_int_t start_watching(ngx_cycle_t* cycle);

// Why what is in force of a block is not what its files say, in this worker; empty: it is.
std::string problem_of_files(const Block& block);

// For exit_process of the same.
void stop_watching();

}  // namespace gate::nginx
