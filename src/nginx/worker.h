// What a worker process keeps from one request to the next in its own memory.
#pragma once

#include "jose/header.h"
#include "nginx/counting.h"
#include "nginx/record.h"
#include "nginx/ticker.h"
#include "policy/recent_verdicts.h"

namespace gate::nginx {

class Worker {
public:
    Worker();
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    // A record that keep() was given; nullptr when there is none.
    Record* spare_record() noexcept {
        Record* const record = spare_;
        if (record != nullptr) {
            spare_ = record->next_spare_;
            --spares_;
        }
        return record;
    }
    // Keeps a record whose request has ended for another one; false when there are plenty.
    bool keep(Record* record) noexcept {
        if (spares_ == kMaxSpares) return false;
        record->next_spare_ = spare_;
        spare_ = record;
        ++spares_;
        return true;
    }

private:
    // As many as a busy worker has requests under way.
    static constexpr unsigned kMaxSpares = 256;

    Record* spare_ = nullptr;
    unsigned spares_ = 0;

public:
    policy::RecentVerdicts recent;
    SeriesMemo series;  // of the zone that is in use
    jose::HeaderCache headers;

private:
    Ticker sweeper_;
};

// What each request reads of this process, on a cache line of its own.
struct alignas(64) Process {
    Worker* worker = nullptr;  // in the master and in nginx's helper processes there is none
    ngx_http_output_header_filter_pt next_header_filter = nullptr;
    ngx_http_output_body_filter_pt next_body_filter = nullptr;
};
extern Process process;

inline Worker* worker() noexcept {
    return process.worker;
}

// For init_process and exit_process. start_worker throws bad_alloc.
void start_worker();
void stop_worker() noexcept;

}  // namespace gate::nginx
