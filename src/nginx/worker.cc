#include "nginx/worker.h"

namespace gate::nginx {

Worker* this_worker = nullptr;

Worker::~Worker() {
    while (const Record* record = spare_record()) delete record;
}

void start_worker() {
    this_worker = new Worker;
}

void stop_worker() noexcept {
    delete this_worker;
    this_worker = nullptr;
}

}  // namespace gate::nginx
