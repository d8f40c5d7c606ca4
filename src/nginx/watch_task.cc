#include "nginx/watch_task.h"

#include <string_view>

#include "nginx/bridge.h"

namespace gate::nginx {

namespace {

constexpr std::string_view kPool = "nginx-gate";

// A thread's work comes back through an event that only epoll, kqueue and ports can send; with
// another method nginx would end each worker that has a pool.
[[maybe_unused]] bool method_can_notify(ngx_conf_t* cf) {
    const auto* const* events =
        reinterpret_cast<void***>(ngx_get_conf(cf->cycle->conf_ctx, ngx_events_module));
    if (events == nullptr || *events == nullptr) return true;  // the events block comes later
    const auto* conf = static_cast<ngx_event_conf_t*>((*events)[ngx_event_core_module.ctx_index]);
    if (conf == nullptr || conf->name == reinterpret_cast<u_char*>(NGX_CONF_UNSET_PTR)) return true;
    const std::string_view name = reinterpret_cast<const char*>(conf->name);
    return name != "poll" && name != "select";
}

}  // namespace

#if (NGX_THREADS)

bool add_file_threads(ngx_conf_t* cf) {
    ngx_str_t name = str(kPool);
    if (ngx_thread_pool_get(cf->cycle, &name) != nullptr || !method_can_notify(cf)) return true;
    // A pool's size can be set by its directive only: run that as if it stood in nginx.conf.
    ngx_str_t arguments[] = {str("thread_pool"), name, str("threads=1"), str("max_queue=16")};
    ngx_array_t list{};
    list.elts = arguments;
    list.nelts = 4;
    ngx_array_t* const saved = cf->args;
    cf->args = &list;
    ngx_command_t* const command = ngx_thread_pool_module.commands;
    const char* result = command->set(cf, command, nullptr);
    cf->args = saved;
    return result == NGX_CONF_OK;
}

bool has_file_threads() {
    ngx_str_t name = str(kPool);
    return ngx_thread_pool_get(const_cast<ngx_cycle_t*>(ngx_cycle), &name) != nullptr;
}

bool RenewalTask::post() {
    ngx_str_t name = str(kPool);
    ngx_thread_pool_t* pool = ngx_thread_pool_get(const_cast<ngx_cycle_t*>(ngx_cycle), &name);
    task_.ctx = this;
    task_.handler = [](void* data, ngx_log_t*) { static_cast<RenewalTask*>(data)->run(); };
    task_.event.data = this;
    task_.event.log = ngx_cycle->log;
    task_.event.handler = [](ngx_event_t* event) {
        const auto done = static_cast<RenewalTask*>(event->data)->done_;
        guard(event->log, 0, [&] {
            done();
            return 0;
        });
    };
    return pool != nullptr && ngx_thread_task_post(pool, &task_) == NGX_OK;
}

#else

bool add_file_threads(ngx_conf_t*) {
    return true;
}
bool has_file_threads() {
    return false;
}
bool RenewalTask::post() {
    return false;
}

#endif

Result<Renewal, LoadFailure> renew_block(const Block& block, std::size_t index) {
    return std::visit([index](const auto* live) { return renew(*live, index); }, block);
}

RenewalTask::RenewalTask(Block block, std::size_t index, void (*done)())
    : block_(block), index_(index), done_(done) {}

// In the thread: nothing of nginx here, not even its log.
void RenewalTask::run() noexcept {
    try {
        result_ = renew_block(block_, index_);
    } catch (...) {
        result_ = fail(LoadFailure{index_, "out of memory"});
    }
}

Result<Renewal, LoadFailure> RenewalTask::take_result() {
    if (!result_) return fail(LoadFailure{index_, "the thread gave no result", true});
    return std::move(*result_);
}

}  // namespace gate::nginx
