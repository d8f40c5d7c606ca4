// Hook 1: what happens to every request before a location is known.
#pragma once

#include "nginx/ngx.h"
#include "nginx/record.h"

namespace gate::nginx {

// Once per main request: removes the identity headers that only the gate may set, keeps the query
// as it came, hides credentials in the request line and Referer, and refuses hidden dot segments.
// NGX_DECLINED, or the status of a refusal.
ngx_int_t enter(ngx_http_request_t* r, Record& record);

// Hides credentials in the request line of a request that hook 1 never saw.
void hide_arguments(ngx_http_request_t* r);

// Overwrites the values of `names` in the query part of `text` with '*', in place.
void mask_arguments(ngx_str_t& text, const std::set<std::string>& names);

}  // namespace gate::nginx
