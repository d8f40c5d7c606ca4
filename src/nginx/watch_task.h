// Reading and parsing of a large file in a thread of nginx's pool, so that the event loop only
// swaps a pointer.
#pragma once

#include <cstddef>
#include <optional>
#include <variant>

#include "nginx/live.h"
#include "nginx/ngx.h"

#if (NGX_THREADS)
extern "C" {
#include <ngx_thread_pool.h>
}
extern "C" ngx_module_t ngx_thread_pool_module;  // in no header of nginx
#endif

namespace gate::nginx {

// A block that files feed.
using Block = std::variant<LiveIssuer*, LiveStore*, LiveRoles*>;

// Files up to this size are read and parsed in the event loop: that takes well under a millisecond.
inline constexpr std::size_t kInlineSize = std::size_t{64} << 10;

// Asks nginx for one thread per worker. While the configuration is read, if it names files.
bool add_file_threads(ngx_conf_t* cf);

// Whether this worker has that thread.
bool has_file_threads();

// renew() for any block.
Result<Renewal, LoadFailure> renew_block(const Block& block, std::size_t index);

// One renewal in the thread. The block may not change until `done`, which the event loop calls.
// Destroyed by the event loop after `done`, or in exit_process, when nginx has joined its threads.
class RenewalTask {
public:
    RenewalTask(Block block, std::size_t index, void (*done)());
    RenewalTask(const RenewalTask&) = delete;
    RenewalTask& operator=(const RenewalTask&) = delete;

    // False when the pool's queue is full.
    bool post();

    Result<Renewal, LoadFailure> take_result();

private:
    void run() noexcept;

    Block block_;
    std::size_t index_;
    void (*done_)();
    std::optional<Result<Renewal, LoadFailure>> result_;
#if (NGX_THREADS)
    ngx_thread_task_t task_{};
#endif
};

}  // namespace gate::nginx
