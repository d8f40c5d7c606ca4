// What the gate's own content handlers share.
#pragma once

#include <string>
#include <string_view>

#include "nginx/conf.h"
#include "nginx/directive.h"
#include "nginx/ngx.h"

namespace gate::nginx {

// GET and HEAD without a body: NGX_OK, or what the handler has to return.
ngx_int_t accept_reading(ngx_http_request_t* r);

// Sends `body`, which nobody may store unless `cache` says otherwise (RFC 9111 section 5.2.2).
// `status` is the handler's own: no error_page takes over.
ngx_int_t send_content(ngx_http_request_t* r, ngx_uint_t status, std::string_view type,
                       std::string_view body, std::string_view cache = "no-store");

// 204, which nobody may store either.
ngx_int_t send_no_content(ngx_http_request_t* r);

// The directive makes `handler` answer its location, after `complete` (see ContentConf). False
// after a message: it does so already, or something else does.
bool set_content(Directive& directive, LocConf& loc, ngx_http_handler_pt handler,
                 decltype(ContentConf::complete) complete = nullptr);

// Merging: a limit_except block, or an `if`, answers as its location does.
void merge_content(const LocConf& parent, LocConf& loc, ngx_http_core_loc_conf_t* core);

// False after a message: a directive of another module, further down, answers as well, or what one
// of ours names is not there.
bool complete_content(ngx_conf_t* cf, const MainConf& main);

}  // namespace gate::nginx
