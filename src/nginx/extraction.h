// Finding the credential of a request where a location's sources say, always in the request as the
// client sent it, and removing it from what the application will see.
#pragma once

#include "nginx/ngx.h"
#include "nginx/record.h"

namespace gate::nginx {

// Fills record.extraction for this location, unless it is the one it was filled for.
void extract(ngx_http_request_t* r, Record& record, const LocConf& location);

// The same, and removes the credentials of the location's sources: headers, cookie crumbs,
// arguments (gate_strip); overwrites argument values in any case. Call it again when a redirect may
// have brought other arguments.
void take(ngx_http_request_t* r, Record& record, const LocConf& location);

// The same where nearly all requests have their credential: in one header, as the location's one
// source says. False, with nothing done, in any other case: also where another location has looked
// before, and where what was found is too long.
bool take_lone_header(ngx_http_request_t* r, Record& record, const LocConf& location);

// Whether a page of another site than this one and `allowed` (see http::is_cross_site) made the
// browser send this.
bool is_from_another_site(ngx_http_request_t* r, std::string_view allowed = {});

// A CORS preflight: OPTIONS with Origin and Access-Control-Request-Method.
bool asks_for_cors(ngx_http_request_t* r);
inline bool is_preflight(ngx_http_request_t* r) {
    return r->method == NGX_HTTP_OPTIONS && asks_for_cors(r);
}

}  // namespace gate::nginx
