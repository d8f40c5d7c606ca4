#include "nginx/identity.h"

#include <algorithm>

#include "nginx/bridge.h"
#include "nginx/headers.h"

namespace gate::nginx {

namespace {

// Hook 1 has removed these, unless this server trusts its client: what the gate sets replaces what
// the client sent all the same.
void remove_client_lines(ngx_http_request_t* r, const LocConf& location) {
    if (!*srv_conf(r).identity_clear_off) return;
    remove_headers(r, [&](const ngx_table_elt_t& line) {
        const std::string name = normal_header_name(view(line.key));
        return std::any_of(
            location.identity->begin(), location.identity->end(),
            [&](const IdentityConf& header) { return normal_header_name(header.lowcase) == name; });
    });
}

}  // namespace

void remove_identity(ngx_http_request_t* r, Record& record) {
    auto& own = record.lists().identity_lines;
    if (own.empty()) return;
    remove_headers(r, [&](const ngx_table_elt_t& line) {
        return std::find(own.begin(), own.end(), &line) != own.end();
    });
    own.clear();
}

bool write_identity(ngx_http_request_t* r, Record& record, const LocConf& location) {
    remove_client_lines(r, location);
    for (const IdentityConf& header : *location.identity) {
        ngx_str_t value;
        auto* source = const_cast<ngx_http_complex_value_t*>(&header.value);
        if (ngx_http_complex_value(r, source, &value) != NGX_OK) throw std::bad_alloc();
        if (record.identity_unsafe || !policy::is_safe_identity(view(value))) {
            clear_identity(r, record);
            return false;
        }
        if (value.len == 0) continue;
        record.lists().identity_lines.push_back(
            add_header(r, header.name, header.lowcase, header.hash, view(value)));
    }
    return true;
}

}  // namespace gate::nginx
