// The identity headers that the application may trust.
#pragma once

#include "nginx/ngx.h"
#include "nginx/record.h"

namespace gate::nginx {

// Removes the identity headers that an earlier location of this request set.
void remove_identity(ngx_http_request_t* r, Record& record);
inline void clear_identity(ngx_http_request_t* r, Record& record) {
    if (record.lists_used) remove_identity(r, record);
}

// Sets the identity headers of `location`. False when a value cannot be written safely; then none
// is set.
bool write_identity(ngx_http_request_t* r, Record& record, const LocConf& location);
inline bool set_identity(ngx_http_request_t* r, Record& record, const LocConf& location) {
    return location.identity->empty() || write_identity(r, record, location);
}

}  // namespace gate::nginx
