// What a worker process keeps from one request to the next in its own memory.
#pragma once

#include "jose/header.h"
#include "nginx/counting.h"
#include "nginx/ngx.h"

namespace gate::nginx {

struct Worker {
    jose::HeaderCache headers;
    SeriesMemo series;
};

// This process's; nullptr in the master and in nginx's helper processes.
Worker* worker() noexcept;

// For init_process and exit_process. start_worker throws bad_alloc.
void start_worker();
void stop_worker() noexcept;

}  // namespace gate::nginx
