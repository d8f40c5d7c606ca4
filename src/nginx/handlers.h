// The gate's handlers in nginx's phases.
#pragma once

#include "nginx/ngx.h"

namespace gate::nginx {

// Hook 1, first in the server-rewrite phase; that is nginx's first phase for a request that
// error_page answers before the phases began (docs/adr/0015).
ngx_int_t on_server_rewrite(ngx_http_request_t* r) noexcept;

// Hook 2, first in the rewrite phase: extracts, scrubs, strips; refuses what needs no wait; judges
// subrequests, which never reach the access phase.
ngx_int_t on_rewrite(ngx_http_request_t* r) noexcept;

// The decision.
ngx_int_t on_access(ngx_http_request_t* r) noexcept;

// Runs only when the access phase let the request in; there where some level says "satisfy any".
ngx_int_t on_precontent(ngx_http_request_t* r) noexcept;

// Writes the refusal's log line, if one is due. Must run before nginx's access log.
ngx_int_t on_log(ngx_http_request_t* r) noexcept;

}  // namespace gate::nginx
