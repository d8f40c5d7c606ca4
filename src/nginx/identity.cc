#include "nginx/identity.h"

#include <algorithm>

#include "nginx/bridge.h"
#include "nginx/headers.h"

namespace gate::nginx {

namespace {

void remove_own_lines(ngx_http_request_t* r, Record& record) {
    if (record.identity_lines.empty()) return;
    const auto& own = record.identity_lines;
    remove_headers(r, [&](const ngx_table_elt_t& line) {
        return std::find(own.begin(), own.end(), &line) != own.end();
    });
    record.identity_lines.clear();
}

}  // namespace

bool set_identity(ngx_http_request_t* r, Record& record, const LocConf& location) {
    remove_own_lines(r, record);
    for (const IdentityConf& header : *location.identity) {
        ngx_str_t value;
        auto* source = const_cast<ngx_http_complex_value_t*>(&header.value);
        if (ngx_http_complex_value(r, source, &value) != NGX_OK) throw std::bad_alloc();
        if (record.identity_unsafe || !policy::is_safe_identity(view(value))) {
            remove_own_lines(r, record);
            return false;
        }
        if (value.len == 0) continue;
        record.identity_lines.push_back(
            add_header(r, header.name, header.lowcase, header.hash, view(value)));
    }
    return true;
}

}  // namespace gate::nginx
