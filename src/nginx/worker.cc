#include "nginx/worker.h"

#include "base/time.h"

namespace gate::nginx {

Process process;

namespace {

constexpr ngx_msec_t kSweepInterval = 30'000;

}  // namespace

Worker::Worker() {
    sweeper_.start(kSweepInterval, [] { worker()->recent.sweep(saturated(Seconds{ngx_time()})); });
}

Worker::~Worker() {
    sweeper_.stop();
    while (const Record* record = spare_record()) delete record;
}

void start_worker() {
    process.worker = new Worker;
}

void stop_worker() noexcept {
    delete process.worker;
    process.worker = nullptr;
}

}  // namespace gate::nginx
