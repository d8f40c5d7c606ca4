#include "nginx/content.h"

#include <algorithm>

#include "nginx/bridge.h"
#include "nginx/compat.h"

namespace gate::nginx {

namespace {

constexpr const char* kOneAnswer =
    "stands beside another directive that answers the requests of this location; give each one a "
    "location of its own";

}  // namespace

ngx_int_t accept_reading(ngx_http_request_t* r) {
    if (!(r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD))) return NGX_HTTP_NOT_ALLOWED;
    return ngx_http_discard_request_body(r);
}

ngx_int_t send_content(ngx_http_request_t* r, ngx_uint_t status, std::string_view type,
                       std::string_view body, std::string_view cache) {
    r->headers_out.status = status;
    r->headers_out.content_type = str(type);
    r->headers_out.content_type_len = type.size();
    r->headers_out.content_length_n = static_cast<off_t>(body.size());
    if (add_response_header(r, "Cache-Control", str(cache)) == nullptr) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    const ngx_int_t rc = ngx_http_send_header(r);
    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) return rc;
    auto* buffer = static_cast<ngx_buf_t*>(ngx_calloc_buf(r->pool));
    if (buffer == nullptr) return NGX_ERROR;
    const ngx_str_t text = str(copy(r->pool, body));
    buffer->pos = text.data;
    buffer->last = text.data + text.len;
    buffer->memory = 1;
    buffer->last_buf = r == r->main ? 1 : 0;
    buffer->last_in_chain = 1;
    ngx_chain_t chain{buffer, nullptr};
    return ngx_http_output_filter(r, &chain);
}

ngx_int_t send_no_content(ngx_http_request_t* r) {
    r->headers_out.status = NGX_HTTP_NO_CONTENT;
    r->header_only = 1;
    if (add_response_header(r, "Cache-Control", str("no-store")) == nullptr) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    return ngx_http_send_header(r);
}

bool set_content(Directive& directive, LocConf& loc, ngx_http_handler_pt handler,
                 decltype(ContentConf::complete) complete) {
    if (loc.content.handler == handler) return directive.duplicate();
    auto* core = static_cast<ngx_http_core_loc_conf_t*>(
        ngx_http_conf_get_module_loc_conf(directive.cf(), ngx_http_core_module));
    if (core->handler != nullptr) return directive.fail(kOneAnswer);
    loc.content.handler = core->handler = handler;
    loc.content.complete = complete;
    loc.content.directive = directive.name();
    loc.content.where = directive.where();
    return true;
}

// nginx does not hand a content handler down to limit_except.
void merge_content(const LocConf& parent, LocConf& loc, ngx_http_core_loc_conf_t* core) {
    if (parent.content.handler == nullptr || loc.content.handler != nullptr || !core->noname) {
        return;
    }
    if (core->lmt_excpt && core->handler == nullptr) core->handler = parent.content.handler;
    loc.content = parent.content;
}

bool complete_content(ngx_conf_t* cf, const MainConf& main) {
    return std::ranges::all_of(main.levels, [&](const Level& level) {
        const ContentConf& content = level.conf->content;
        if (content.handler == nullptr) return true;
        if (!level.core->noname && level.core->handler != content.handler) {
            return fail_at(cf, content.where.text(), quoted(content.directive) + " " + kOneAnswer);
        }
        return content.complete == nullptr || content.complete(cf, main, *level.conf);
    });
}

}  // namespace gate::nginx
