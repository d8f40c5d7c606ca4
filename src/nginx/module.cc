// The two modules of the shared object, and where their handlers stand. ngx_http_gate_module is
// placed before the access module, ngx_http_gate_filter_module before the copy filter (see config).

#include <algorithm>

#include "nginx/answer_filter.h"
#include "nginx/bridge.h"
#include "nginx/conf.h"
#include "nginx/handlers.h"
#include "nginx/health_watch.h"
#include "nginx/journal_feed.h"
#include "nginx/key_lookup.h"
#include "nginx/last_use.h"
#include "nginx/module_file.h"
#include "nginx/password_check.h"
#include "nginx/redis_client.h"
#include "nginx/refusal_log.h"
#include "nginx/revocation_lookup.h"
#include "nginx/revocation_write.h"
#include "nginx/setters.h"
#include "nginx/stream_follower.h"
#include "nginx/variables.h"
#include "nginx/watch.h"
#include "nginx/worker.h"

namespace gate::nginx {

namespace {

ngx_int_t add_handler(ngx_conf_t* cf, ngx_http_phases phase, ngx_http_handler_pt handler) {
    auto* core = static_cast<ngx_http_core_main_conf_t*>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module));
    auto* slot = static_cast<ngx_http_handler_pt*>(ngx_array_push(&core->phases[phase].handlers));
    if (slot == nullptr) return NGX_ERROR;
    *slot = handler;
    return NGX_OK;
}

// Handlers of the log phase run in the order they stand in; the access log came before us.
ngx_int_t add_log_handler(ngx_conf_t* cf) {
    if (add_handler(cf, NGX_HTTP_LOG_PHASE, on_log) != NGX_OK) return NGX_ERROR;
    auto* core = static_cast<ngx_http_core_main_conf_t*>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module));
    ngx_array_t& all = core->phases[NGX_HTTP_LOG_PHASE].handlers;
    auto* handlers = static_cast<ngx_http_handler_pt*>(all.elts);
    std::rotate(handlers, handlers + all.nelts - 1, handlers + all.nelts);
    return NGX_OK;
}

ngx_int_t gate_postconfiguration(ngx_conf_t* cf) noexcept {
    return guard(cf->log, ngx_int_t{NGX_ERROR}, [&]() -> ngx_int_t {
        if (add_handler(cf, NGX_HTTP_ACCESS_PHASE, on_access) != NGX_OK ||
            add_log_handler(cf) != NGX_OK) {
            return NGX_ERROR;
        }
        return complete_configuration(cf);
    });
}

bool has_satisfy_any(const MainConf& main) {
    return std::ranges::any_of(main.levels, [](const Level& level) {
        return level.core->satisfy == NGX_HTTP_SATISFY_ANY;
    });
}

// Handlers of a phase run in reverse order of registration: the filter module, initialised late,
// comes first in its phases.
ngx_int_t filter_postconfiguration(ngx_conf_t* cf) noexcept {
    if (add_handler(cf, NGX_HTTP_SERVER_REWRITE_PHASE, on_server_rewrite) != NGX_OK ||
        add_handler(cf, NGX_HTTP_REWRITE_PHASE, on_rewrite) != NGX_OK) {
        return NGX_ERROR;
    }
    // No refusal gets there otherwise, and each handler costs every request something.
    if (has_satisfy_any(main_conf(cf)) &&
        add_handler(cf, NGX_HTTP_PRECONTENT_PHASE, on_precontent) != NGX_OK) {
        return NGX_ERROR;
    }
    return install_answer_filters(cf);
}

// Of several modules the last to register would be the first to run; hook 1 has to be, wherever the
// module stands among the load_module lines.
void run_first(ngx_http_phase_handler_t* begin, ngx_http_handler_pt handler) {
    ngx_http_phase_handler_t* at = begin;
    while (at->checker == begin->checker && at->handler != handler) ++at;
    if (at->checker == begin->checker) std::rotate(begin, at, at + 1);
}

ngx_int_t init_module(ngx_cycle_t* cycle) noexcept {
    auto* core = static_cast<ngx_http_core_main_conf_t*>(
        ngx_http_cycle_get_module_main_conf(cycle, ngx_http_core_module));
    if (core == nullptr) return NGX_OK;
    const ngx_http_phase_engine_t& engine = core->phase_engine;
    run_first(engine.handlers + engine.server_rewrite_index, on_server_rewrite);
    return NGX_OK;
}

ngx_int_t gate_preconfiguration(ngx_conf_t* cf) noexcept {
    note_module_file();
    return guard(cf->log, ngx_int_t{NGX_ERROR}, [&] { return add_variables(cf); });
}

// Cache manager and loader run this too: only real workers watch files.
bool serves_requests() {
    return ngx_process == NGX_PROCESS_WORKER || ngx_process == NGX_PROCESS_SINGLE;
}

ngx_int_t init_process(ngx_cycle_t* cycle) noexcept {
    if (!serves_requests()) return NGX_OK;
    return guard(cycle->log, ngx_int_t{NGX_ERROR}, [&]() -> ngx_int_t {
        start_worker();
        auto* main = static_cast<MainConf*>(
            ngx_http_cycle_get_module_main_conf(cycle, ngx_http_gate_module));
        if (main != nullptr && main->zone) start_journal_feeds(*main->zone);
        if (main != nullptr) {
            start_redis(*main);
            start_followers(*main);
            if (!main->redis.empty()) start_last_use();
        }
        start_module_file_check();
        if (start_watching(cycle) != NGX_OK) return NGX_ERROR;
        if (main != nullptr) start_health_watch(*main);
        return NGX_OK;
    });
}

void exit_process(ngx_cycle_t*) noexcept {
    if (!serves_requests()) return;
    stop_module_file_check();
    stop_summaries();
    stop_health_watch();
    stop_watching();
    stop_password_checks();
    stop_revocation_writes();
    stop_journal_feeds();
    stop_followers();
    stop_last_use();
    stop_key_lookups();
    forget_lookups();
    stop_redis();
    stop_worker();
}

ngx_http_module_t gate_context = {
    gate_preconfiguration,  /* preconfiguration */
    gate_postconfiguration, /* postconfiguration */

    create_main_conf, /* create main configuration */
    nullptr,          /* init main configuration */

    create_srv_conf, /* create server configuration */
    merge_srv_conf,  /* merge server configuration */

    create_loc_conf, /* create location configuration */
    merge_loc_conf   /* merge location configuration */
};

ngx_http_module_t filter_context = {
    nullptr,                  /* preconfiguration */
    filter_postconfiguration, /* postconfiguration */

    nullptr, /* create main configuration */
    nullptr, /* init main configuration */

    nullptr, /* create server configuration */
    nullptr, /* merge server configuration */

    nullptr, /* create location configuration */
    nullptr  /* merge location configuration */
};

}  // namespace

}  // namespace gate::nginx

ngx_module_t ngx_http_gate_module = {NGX_MODULE_V1,
                                     &gate::nginx::gate_context, /* module context */
                                     gate::nginx::directives,    /* module directives */
                                     NGX_HTTP_MODULE,            /* module type */
                                     nullptr,                    /* init master */
                                     nullptr,                    /* init module */
                                     gate::nginx::init_process,  /* init process */
                                     nullptr,                    /* init thread */
                                     nullptr,                    /* exit thread */
                                     gate::nginx::exit_process,  /* exit process */
                                     nullptr,                    /* exit master */
                                     NGX_MODULE_V1_PADDING};

ngx_module_t ngx_http_gate_filter_module = {NGX_MODULE_V1,
                                            &gate::nginx::filter_context, /* module context */
                                            nullptr,                      /* module directives */
                                            NGX_HTTP_MODULE,              /* module type */
                                            nullptr,                      /* init master */
                                            gate::nginx::init_module,     /* init module */
                                            nullptr,                      /* init process */
                                            nullptr,                      /* init thread */
                                            nullptr,                      /* exit thread */
                                            nullptr,                      /* exit process */
                                            nullptr,                      /* exit master */
                                            NGX_MODULE_V1_PADDING};
