#include "nginx/worker.h"

#include "nginx/record.h"

namespace gate::nginx {

namespace {

Worker* this_worker = nullptr;

// As many as a busy worker has requests under way.
constexpr std::size_t kSpareRecords = 256;

}  // namespace

Worker::Worker() {
    spare_records_.reserve(kSpareRecords);
}

Worker::~Worker() = default;

Record* Worker::spare_record() noexcept {
    if (spare_records_.empty()) return nullptr;
    Record* record = spare_records_.back().release();
    spare_records_.pop_back();
    return record;
}

bool Worker::keep(Record* record) noexcept {
    if (spare_records_.size() == kSpareRecords) return false;
    spare_records_.emplace_back(record);
    return true;
}

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
