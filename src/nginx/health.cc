#include "nginx/health.h"

#include <algorithm>

#include "jose/json.h"
#include "nginx/bridge.h"
#include "nginx/compat.h"
#include "nginx/content.h"
#include "nginx/dump.h"
#include "nginx/headers.h"
#include "nginx/health_watch.h"
#include "nginx/setters.h"
#include "policy/challenge.h"
#include "policy/page.h"
#include "policy/route_text.h"

namespace gate::nginx {

namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kText = "text/plain; charset=utf-8";

ngx_int_t send_page(ngx_http_request_t* r, std::string_view body) {
    for (const auto& [name, value] :
         {std::pair{"Content-Security-Policy", policy::kPageSecurityPolicy},
          std::pair{"X-Content-Type-Options", std::string_view("nosniff")}}) {
        if (add_response_header(r, name, str(value)) == nullptr) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }
    return send_content(r, NGX_HTTP_OK, policy::kPageType, body);
}

ngx_int_t send_routes(ngx_http_request_t* r) {
    const MainConf& main = main_conf(r);
    if (add_response_header(r, "Vary", str("Accept, Sec-Fetch-Mode")) == nullptr) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    const bool browser = policy::is_browser_navigation(
        view(r->method_name), header_value(r, "sec-fetch-mode"), header_value(r, "accept"));
    if (browser) return send_page(r, main.routes_html);
    return send_content(r, NGX_HTTP_OK, kJson, main.routes_json);
}

// Says nothing more, for it may be open to everybody.
ngx_int_t send_readiness(ngx_http_request_t* r) {
    if (policy::is_ready(health_report())) return send_content(r, NGX_HTTP_OK, kText, "ready\n");
    return send_content(r, NGX_HTTP_SERVICE_UNAVAILABLE, kText, "not ready\n");
}

ngx_int_t health_handler(ngx_http_request_t* r) noexcept {
    return guard(r, ngx_int_t{NGX_HTTP_INTERNAL_SERVER_ERROR}, [&]() -> ngx_int_t {
        if (const ngx_int_t rc = accept_reading(r); rc != NGX_OK) return rc;
        switch (loc_conf(r).content.health) {
            case HealthForm::kPage:
                return send_page(r, policy::health_as_html(health_report()));
            case HealthForm::kJson:
                return send_content(r, NGX_HTTP_OK, kJson, policy::health_as_json(health_report()));
            case HealthForm::kReady:
                return send_readiness(r);
            case HealthForm::kRoutes:
                return send_routes(r);
        }
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    });
}

std::optional<HealthForm> find_form(std::string_view word) {
    if (word == "page") return HealthForm::kPage;
    if (word == "json") return HealthForm::kJson;
    if (word == "ready") return HealthForm::kReady;
    if (word == "routes") return HealthForm::kRoutes;
    return std::nullopt;
}

}  // namespace

bool set_gate_health(Directive& directive, LocConf& loc) {
    if (!set_content(directive, loc, health_handler)) return false;
    const auto form = find_form(directive.values()[0]);
    if (!form) return directive.unknown(directive.values()[0], "page | json | ready | routes");
    loc.content.health = *form;
    return true;
}

bool prepare_routes(ngx_conf_t* cf, MainConf& main) {
    const bool wanted = std::ranges::any_of(main.levels, [](const Level& level) {
        const ContentConf& content = level.conf->content;
        return content.handler == health_handler && content.health == HealthForm::kRoutes;
    });
    if (!wanted) return true;
    const auto dump = jose::Document::parse(configuration_json(cf, main), jose::kOperatorLimits);
    if (!dump) {
        return fail_at(cf, "",
                       "\"gate_health routes\" cannot read what is in force; use \"gatectl "
                       "routes\" instead");
    }
    const auto routes = policy::routes_of(dump->root());
    main.routes_json = policy::routes_as_json(routes);
    main.routes_html = policy::routes_as_html(routes, view(cf->cycle->conf_file));
    return true;
}

}  // namespace gate::nginx
