#include "nginx/request_body.h"

#include <algorithm>
#include <span>

#include "nginx/bridge.h"

namespace gate::nginx {

ngx_int_t RequestBody::read(ngx_http_request_t* r, std::size_t limit, Ready ready) {
    limit_ = limit;
    ready_ = ready;
    const off_t length = r->headers_in.content_length_n;
    too_large_ = length > static_cast<off_t>(limit);
    // One more than there may be; a vector that grows would leave copies behind.
    octets_.reserve(length < 0 || too_large_ ? limit + 1 : static_cast<std::size_t>(length) + 1);
    if (too_large_) r->expect_tested = 1;  // nobody shall send it
    r->request_body_no_buffering = 1;
    const ngx_int_t rc = ngx_http_read_client_request_body(r, on_begin);
    return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;
}

// Another module, such as mirror, may have read it into a file before, and want it afterwards.
bool RequestBody::append(ngx_http_request_t* r, ngx_buf_t& buffer) {
    const std::size_t before = octets_.size();
    const auto size = static_cast<std::size_t>(ngx_buf_size(&buffer));
    octets_.resize(before + std::min(size, limit_ + 1 - before));
    const std::span<std::uint8_t> to = std::span(octets_).subspan(before);
    too_large_ = too_large_ || octets_.size() > limit_;
    if (!ngx_buf_in_memory(&buffer) && !to.empty()) {
        return ngx_read_file(buffer.file, to.data(), to.size(), buffer.file_pos) ==
               static_cast<ssize_t>(to.size());
    }
    std::copy_n(buffer.pos, to.size(), to.begin());
    if (r->preserve_body) return true;
    wipe(buffer.pos, size);
    buffer.pos = buffer.last;
    return true;
}

bool RequestBody::take(ngx_http_request_t* r) {
    for (ngx_chain_t* link = r->request_body->bufs; link != nullptr; link = link->next) {
        if (!append(r, *link->buf)) return false;
    }
    if (!r->preserve_body) r->request_body->bufs = nullptr;
    return true;
}

// NGX_OK: it is complete, or too large; NGX_AGAIN: there is more to come; else a status.
ngx_int_t RequestBody::collect(ngx_http_request_t* r) {
    if (r->request_body == nullptr) return NGX_OK;
    if (!take(r)) return NGX_HTTP_INTERNAL_SERVER_ERROR;
    while (r->reading_body && !too_large_) {
        const ngx_int_t rc = ngx_http_read_unbuffered_request_body(r);
        if (rc != NGX_OK && rc != NGX_AGAIN) return rc;
        const bool some = r->request_body->bufs != nullptr;
        if (!take(r)) return NGX_HTTP_INTERNAL_SERVER_ERROR;
        if (rc == NGX_AGAIN && !some) return NGX_AGAIN;
    }
    return NGX_OK;
}

// An application that answers in our place (error_page) is not told of a body that is gone.
void RequestBody::end(ngx_http_request_t* r) noexcept {
    ngx_event_t* const read = r->connection->read;
    if (read->timer_set) ngx_del_timer(read);
    r->headers_in.content_length_n = 0;
    r->headers_in.chunked = 0;
#if (NGX_HTTP_V2)
    if (r->stream != nullptr && r->reading_body) r->stream->skip_data = 1;
#endif
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
    end(r);
    body.ready_(r);
}

}  // namespace gate::nginx
