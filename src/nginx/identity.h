// The identity headers that the application may trust.
#pragma once

#include "nginx/ngx.h"
#include "nginx/record.h"

namespace gate::nginx {

// Removes the identity headers that an earlier location of this request set.
void clear_identity(ngx_http_request_t* r, Record& record);

// Sets the identity headers of `location`. False when a value cannot be written safely; then none
// is set.
bool set_identity(ngx_http_request_t* r, Record& record, const LocConf& location);

}  // namespace gate::nginx
