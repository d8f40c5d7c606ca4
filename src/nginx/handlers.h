// The gate's handlers in nginx's phases.
#pragma once

#include "nginx/ngx.h"

namespace gate::nginx {

// Hook 1 in post-read and server-rewrite (the latter for requests that skip the former).
ngx_int_t on_early_phase(ngx_http_request_t* r) noexcept;

// Hook 2, first in the rewrite phase: extracts, scrubs, strips; refuses what needs no wait; judges
// subrequests, which never reach the access phase.
ngx_int_t on_rewrite(ngx_http_request_t* r) noexcept;

// The decision.
ngx_int_t on_access(ngx_http_request_t* r) noexcept;

// Runs only when the access phase let the request in.
ngx_int_t on_precontent(ngx_http_request_t* r) noexcept;

// Writes the refusal's log line, if one is due. Must run before nginx's access log.
ngx_int_t on_log(ngx_http_request_t* r) noexcept;

}  // namespace gate::nginx
