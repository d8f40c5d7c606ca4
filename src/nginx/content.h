// What the gate's own content handlers share.
#pragma once

#include <string>
#include <string_view>

#include "nginx/ngx.h"

namespace gate::nginx {

// GET and HEAD without a body: NGX_OK, or what the handler has to return.
ngx_int_t accept_reading(ngx_http_request_t* r);

// Sends `body`, which nobody may store. `status` is the handler's own: no error_page takes over.
ngx_int_t send_content(ngx_http_request_t* r, ngx_uint_t status, std::string_view type,
                       std::string_view body);

// nginx does not hand a content handler down to limit_except. True: `core` is such a block, or an
// `if`, of the location that has it.
bool hand_down(ngx_http_core_loc_conf_t* core, ngx_http_handler_pt handler);

}  // namespace gate::nginx
