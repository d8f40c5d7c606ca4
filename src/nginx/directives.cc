// The table of directives. Block directives read their blocks by tables of their own.

#include "nginx/setters.h"

namespace gate::nginx {

namespace {

constexpr ngx_uint_t kHttp = NGX_HTTP_MAIN_CONF;
constexpr ngx_uint_t kServer = NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF;
constexpr ngx_uint_t kLocation = kServer | NGX_HTTP_LOC_CONF;
constexpr ngx_uint_t kAnywhere = kLocation | NGX_HTTP_LMT_CONF;

template <bool (*Body)(Directive&, MainConf&)>
ngx_command_t main_command(std::string_view name, ngx_uint_t type) {
    return {str(name), type, set<MainConf, Body>, NGX_HTTP_MAIN_CONF_OFFSET, 0, nullptr};
}

template <bool (*Body)(Directive&, SrvConf&)>
ngx_command_t server_command(std::string_view name, ngx_uint_t type) {
    return {str(name), type, set<SrvConf, Body>, NGX_HTTP_SRV_CONF_OFFSET, 0, nullptr};
}

template <bool (*Body)(Directive&, LocConf&)>
ngx_command_t location_command(std::string_view name, ngx_uint_t type) {
    return {str(name), type, set<LocConf, Body>, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr};
}

}  // namespace

// clang-format off
ngx_command_t directives[] = {
    location_command<set_gate>("gate", kAnywhere | NGX_CONF_1MORE),
    location_command<set_gate_source>("gate_source", kLocation | NGX_CONF_TAKE23),
    location_command<set_gate_source_conflict>("gate_source_conflict", kLocation | NGX_CONF_TAKE1),
    location_command<set_gate_strip>("gate_strip", kLocation | NGX_CONF_TAKE1),
    location_command<set_gate_preflight>("gate_preflight", kLocation | NGX_CONF_TAKE1),
    server_command<set_gate_dot_segments>("gate_dot_segments", kServer | NGX_CONF_TAKE1),
    location_command<set_gate_max_token_size>("gate_max_token_size", kLocation | NGX_CONF_TAKE1),

    location_command<set_gate_require_scope>("gate_require_scope", kAnywhere | NGX_CONF_1MORE),
    location_command<set_gate_require_role>("gate_require_role", kAnywhere | NGX_CONF_1MORE),
    location_command<set_gate_require_claim>("gate_require_claim", kAnywhere | NGX_CONF_2MORE),
    location_command<set_gate_require>("gate_require", kAnywhere | NGX_CONF_1MORE),

    location_command<set_gate_identity>("gate_identity", kLocation | NGX_CONF_TAKE2),
    server_command<set_gate_identity_clear>("gate_identity_clear", kLocation | NGX_CONF_1MORE),
    main_command<set_gate_claim>("gate_claim", kHttp | NGX_CONF_TAKE23),

    location_command<set_gate_limit>("gate_limit", kLocation | NGX_CONF_1MORE),
    location_command<set_gate_fail_limit>("gate_fail_limit", kLocation | NGX_CONF_1MORE),

    location_command<set_gate_error_format>("gate_error_format", kLocation | NGX_CONF_TAKE1),
    location_command<set_gate_reply>("gate_reply", kLocation | NGX_CONF_TAKE23 | NGX_CONF_TAKE4),
    location_command<set_gate_field>("gate_field", kLocation | NGX_CONF_TAKE23),
    location_command<set_gate_cookie>("gate_cookie", kLocation | NGX_CONF_1MORE),
    location_command<set_gate_login_url>("gate_login_url", kLocation | NGX_CONF_TAKE12),
    location_command<set_gate_dry_run>("gate_dry_run", kLocation | NGX_CONF_TAKE1),
    location_command<set_gate_log_level>("gate_log_level", kLocation | NGX_CONF_TAKE1),

    main_command<set_gate_issuer>("gate_issuer", kHttp | NGX_CONF_BLOCK | NGX_CONF_TAKE1),
    main_command<set_gate_keys>("gate_keys", kHttp | NGX_CONF_BLOCK | NGX_CONF_TAKE1),
    location_command<set_gate_revocation_lookup>("gate_revocation_lookup", kLocation | NGX_CONF_1MORE),
    main_command<set_gate_redis>("gate_redis", kHttp | NGX_CONF_BLOCK | NGX_CONF_TAKE1),
    main_command<set_gate_zone>("gate_zone", kHttp | NGX_CONF_TAKE12),
    main_command<set_gate_revocation>("gate_revocation", kHttp | NGX_CONF_1MORE),
    main_command<set_gate_users>("gate_users", kHttp | NGX_CONF_BLOCK | NGX_CONF_TAKE1),
    main_command<set_gate_roles>("gate_roles", kHttp | NGX_CONF_BLOCK | NGX_CONF_TAKE1),

    location_command<set_gate_login>("gate_login", NGX_HTTP_LOC_CONF | NGX_CONF_TAKE2),
    location_command<set_gate_refresh>("gate_refresh", NGX_HTTP_LOC_CONF | NGX_CONF_1MORE),
    location_command<set_gate_logout>("gate_logout", NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS),
    location_command<set_gate_jwks>("gate_jwks", NGX_HTTP_LOC_CONF | NGX_CONF_TAKE1),
    location_command<set_gate_health>("gate_health", NGX_HTTP_LOC_CONF | NGX_CONF_TAKE1),
    location_command<set_gate_metrics>("gate_metrics", NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS | NGX_CONF_TAKE1),

    ngx_null_command,
};
// clang-format on

}  // namespace gate::nginx
