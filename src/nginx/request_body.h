// Reading a request's body into memory: passwords and tokens come in it, so that none of it goes
// into a file, and nothing stays in nginx's buffers.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/bytes.h"
#include "nginx/ngx.h"

namespace gate::nginx {

class RequestBody {
public:
    RequestBody() = default;
    RequestBody(const RequestBody&) = delete;
    RequestBody& operator=(const RequestBody&) = delete;
    ~RequestBody() { wipe(octets_.data(), octets_.size()); }

    // Once all of it is there, or it is larger than `limit`: in the event loop, at any time from
    // within read() on.
    using Ready = void (*)(ngx_http_request_t* r);

    // For a content handler, which returns NGX_DONE then, or the status that this returns.
    ngx_int_t read(ngx_http_request_t* r, std::size_t limit, Ready ready);

    bool too_large() const noexcept { return too_large_; }
    std::string_view text() const noexcept { return text_of(octets_); }

private:
    // That of the request's endpoint. (endpoint.cc)
    static RequestBody& of(ngx_http_request_t* r) noexcept;
    static void on_begin(ngx_http_request_t* r) noexcept;
    static void on_more(ngx_http_request_t* r) noexcept;
    ngx_int_t collect(ngx_http_request_t* r);
    bool take(ngx_http_request_t* r);
    bool append(ngx_http_request_t* r, ngx_buf_t& buffer);
    static void end(ngx_http_request_t* r) noexcept;

    ByteVector octets_;
    std::size_t limit_ = 0;
    Ready ready_ = nullptr;
    bool too_large_ = false;
};

}  // namespace gate::nginx
