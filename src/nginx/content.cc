#include "nginx/content.h"

#include "nginx/bridge.h"
#include "nginx/compat.h"

namespace gate::nginx {

ngx_int_t accept_reading(ngx_http_request_t* r) {
    if (!(r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD))) return NGX_HTTP_NOT_ALLOWED;
    return ngx_http_discard_request_body(r);
}

ngx_int_t send_content(ngx_http_request_t* r, ngx_uint_t status, std::string_view type,
                       std::string_view body) {
    r->headers_out.status = status;
    r->headers_out.content_type = str(type);
    r->headers_out.content_type_len = type.size();
    r->headers_out.content_length_n = static_cast<off_t>(body.size());
    if (add_response_header(r, "Cache-Control", str("no-store")) == nullptr) {
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

bool hand_down(ngx_http_core_loc_conf_t* core, ngx_http_handler_pt handler) {
    if (!core->noname) return false;
    if (core->lmt_excpt && core->handler == nullptr) core->handler = handler;
    return true;
}

}  // namespace gate::nginx
