// Reading and parsing of a large file in a thread of its own, so that the event loop only swaps a
// pointer. There is no thread while there is nothing to read: a process that has one pays for it
// with every system call and allocation of the C library (docs/adr/0013).
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <optional>
#include <thread>
#include <variant>

#include "nginx/live.h"

namespace gate::nginx {

// A block that files feed.
using Block = std::variant<LiveIssuer*, LiveStore*, LiveRoles*, LiveUsers*>;

// Files up to this size are read and parsed in the event loop: that takes well under a millisecond.
inline constexpr off_t kInlineSize = off_t{64} << 10;
// The same where the text is read and digested only.
inline constexpr off_t kUnchangedInlineSize = off_t{4} << 20;

// renew() for any block.
Result<Renewal, LoadFailure> renew_block(const Block& block, std::size_t index);

// One renewal in a thread. The block may not change before the result is taken.
class RenewalTask {
public:
    // Throws std::system_error where no thread can be had.
    RenewalTask(Block block, std::size_t index);
    // Waits for the thread.
    ~RenewalTask() { thread_.join(); }
    RenewalTask(const RenewalTask&) = delete;
    RenewalTask& operator=(const RenewalTask&) = delete;

    bool is_done() const noexcept { return done_.load(std::memory_order_acquire); }
    // Once it is done.
    Result<Renewal, LoadFailure> take_result() { return std::move(*result_); }

private:
    void run() noexcept;

    Block block_;
    std::size_t index_;
    std::optional<Result<Renewal, LoadFailure>> result_;
    std::atomic<bool> done_ = false;
    std::thread thread_;
};

}  // namespace gate::nginx
