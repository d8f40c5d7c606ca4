#include "nginx/watch_task.h"

#include "nginx/signals_blocked.h"

namespace gate::nginx {

Result<Renewal, LoadFailure> renew_block(const Block& block, std::size_t index) {
    return std::visit([index](const auto* live) { return renew(*live, index); }, block);
}

RenewalTask::RenewalTask(Block block, std::size_t index) : block_(block), index_(index) {
    const SignalsBlocked blocked;
    thread_ = std::thread([this] { run(); });
}

// In the thread: nothing of nginx here, not even its log.
void RenewalTask::run() noexcept {
    try {
        result_ = renew_block(block_, index_);
    } catch (...) {
        result_ = fail(LoadFailure{index_, "out of memory"});
    }
    done_.store(true, std::memory_order_release);
}

}  // namespace gate::nginx
