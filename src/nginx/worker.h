// What a worker process keeps from one request to the next in its own memory.
#pragma once

#include <memory>
#include <vector>

#include "jose/header.h"
#include "nginx/counting.h"
#include "nginx/ngx.h"

namespace gate::nginx {

class Record;

class Worker {
public:
    Worker();
    ~Worker();

    jose::HeaderCache headers;
    SeriesMemo series;

    // A record that keep() was given; nullptr when there is none.
    Record* spare_record() noexcept;
    // Keeps a record whose request has ended for another one; false when there are plenty.
    bool keep(Record* record) noexcept;

private:
    std::vector<std::unique_ptr<Record>> spare_records_;
};

// This process's; nullptr in the master and in nginx's helper processes.
Worker* worker() noexcept;

// For init_process and exit_process. start_worker throws bad_alloc.
void start_worker();
void stop_worker() noexcept;

}  // namespace gate::nginx
