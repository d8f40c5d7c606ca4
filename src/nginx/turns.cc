#include "nginx/turns.h"

#include <algorithm>

namespace gate::nginx {

ngx_msec_t worker_count() noexcept {
    if (ngx_process != NGX_PROCESS_WORKER) return 1;
    const auto* core =
        reinterpret_cast<ngx_core_conf_t*>(ngx_get_conf(ngx_cycle->conf_ctx, ngx_core_module));
    return static_cast<ngx_msec_t>(std::max<ngx_int_t>(core->worker_processes, 1));
}

ngx_msec_t until_turn(ngx_msec_t length) noexcept {
    const ngx_msec_t workers = worker_count();
    const ngx_msec_t round = length * workers;
    const ngx_msec_t begin = length * (static_cast<ngx_msec_t>(ngx_worker) % workers);
    return round - (ngx_current_msec + round - begin) % round;
}

}  // namespace gate::nginx
