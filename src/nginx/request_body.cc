#include "nginx/request_body.h"

#include <algorithm>

#include "nginx/bridge.h"

namespace gate::nginx {

ngx_int_t RequestBody::read(ngx_http_request_t* r, std::size_t limit, Ready ready) {
    limit_ = limit;
    ready_ = ready;
    const off_t length = r->headers_in.content_length_n;
    too_large_ = length > static_cast<off_t>(limit);
    // One more than there may be; a vector that grows would leave copies behind.
    octets_.reserve(length < 0 || too_large_ ? limit + 1 : static_cast<std::size_t>(length) + 1);
    r->request_body_no_buffering = 1;
    const ngx_int_t rc = ngx_http_read_client_request_body(r, on_begin);
    return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;
}

void RequestBody::append(ngx_buf_t& buffer) {
    const auto size = static_cast<std::size_t>(buffer.last - buffer.pos);
    const std::size_t room = limit_ + 1 - octets_.size();
    octets_.insert(octets_.end(), buffer.pos, buffer.pos + std::min(size, room));
    too_large_ = too_large_ || octets_.size() > limit_;
    wipe(buffer.pos, size);
    buffer.pos = buffer.last;
}

void RequestBody::take(ngx_http_request_t* r) {
    for (ngx_chain_t* link = r->request_body->bufs; link != nullptr; link = link->next) {
        append(*link->buf);
    }
    r->request_body->bufs = nullptr;
}

// NGX_OK: it is complete, or too large; NGX_AGAIN: there is more to come; else a status.
ngx_int_t RequestBody::collect(ngx_http_request_t* r) {
    if (r->request_body == nullptr) return NGX_OK;
    take(r);
    while (r->reading_body && !too_large_) {
        const ngx_int_t rc = ngx_http_read_unbuffered_request_body(r);
        if (rc != NGX_OK && rc != NGX_AGAIN) return rc;
        const bool some = r->request_body->bufs != nullptr;
        take(r);
        if (rc == NGX_AGAIN && !some) return NGX_AGAIN;
    }
    return NGX_OK;
}

void RequestBody::on_begin(ngx_http_request_t* r) noexcept {
    r->read_event_handler = on_more;
    on_more(r);
}

void RequestBody::on_more(ngx_http_request_t* r) noexcept {
    RequestBody& body = of(r);
    const ngx_int_t rc = guard(r, ngx_int_t{NGX_HTTP_INTERNAL_SERVER_ERROR},
                               [&]() -> ngx_int_t { return body.collect(r); });
    if (rc == NGX_AGAIN) return;
    r->read_event_handler = ngx_http_block_reading;
    if (rc != NGX_OK) return ngx_http_finalize_request(r, rc);
    body.ready_(r);
}

}  // namespace gate::nginx
