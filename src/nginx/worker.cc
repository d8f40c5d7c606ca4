#include "nginx/worker.h"

namespace gate::nginx {

namespace {

Worker* this_worker = nullptr;

}  // namespace

Worker* worker() noexcept {
    return this_worker;
}

void start_worker() {
    this_worker = new Worker;
}

void stop_worker() noexcept {
    delete this_worker;
    this_worker = nullptr;
}

}  // namespace gate::nginx
