// Editing the headers of a request so that every reader sees the same: upstream modules walk the
// list, nginx's own code follows the pointers of headers_in.
#pragma once

#include <string_view>

#include "base/ascii.h"
#include "nginx/bridge.h"
#include "nginx/ngx.h"

namespace gate::nginx {

// Calls `visit(ngx_table_elt_t&)` for each request header, in order; stops when it returns false.
// The list must not change meanwhile.
template <class Visit>
void each_header(ngx_http_request_t* r, Visit&& visit) {
    for (ngx_list_part_t* part = &r->headers_in.headers.part; part != nullptr; part = part->next) {
        auto* const lines = static_cast<ngx_table_elt_t*>(part->elts);
        for (ngx_table_elt_t* line = lines; line != lines + part->nelts; ++line) {
            if (!visit(*line)) return;
        }
    }
}

inline std::string_view lowcase_name(const ngx_table_elt_t& line) noexcept {
    if (line.lowcase_key == nullptr) return {};
    return {reinterpret_cast<const char*>(line.lowcase_key), line.key.len};
}

// Most lines are told apart by the length of their names.
inline bool is_named(const ngx_table_elt_t& line, std::string_view lowcase) noexcept {
    return line.key.len == lowcase.size() && lowcase_name(line) == lowcase;
}

// The value of the first header of that lower-case name; "" when there is none.
std::string_view header_value(ngx_http_request_t* r, std::string_view lowcase);

// Removes the headers for which `condemned(const ngx_table_elt_t&)` is true. No element moves:
// others point at them. Throws bad_alloc.
template <class Condemned>
void remove_headers(ngx_http_request_t* r, Condemned&& condemned);

// Adds a header; every upstream module sends it. Throws bad_alloc.
ngx_table_elt_t* add_header(ngx_http_request_t* r, std::string_view name, std::string_view lowcase,
                            ngx_uint_t hash, std::string_view value);

// headers_in points at some lines by name: makes it point at `line` no more.
void forget_header(ngx_http_request_t* r, const ngx_table_elt_t* line);

// Removes the list's last element, unless it is alone in its part; false, with nothing done, for
// any other. It has been forgotten.
inline bool cut_last_header(ngx_list_t& list, const ngx_table_elt_t* line) noexcept {
    ngx_list_part_t& part = *list.last;
    const auto* const lines = static_cast<const ngx_table_elt_t*>(part.elts);
    if (part.nelts < 2 || line != &lines[part.nelts - 1]) return false;
    // Something may still point at the element: the next push must open a new part, as nginx does
    // once the last one holds `nalloc` elements.
    list.nalloc = --part.nelts;
    return true;
}

// Removes one element of the list, which has been forgotten; the next element to visit is in the
// same place of `*part` or the next part, which this returns in `*part` and `*index`.
void cut_header(ngx_http_request_t* r, ngx_list_part_t** part, ngx_uint_t* index);

template <class Condemned>
void remove_headers(ngx_http_request_t* r, Condemned&& condemned) {
    ngx_list_part_t* part = &r->headers_in.headers.part;
    ngx_uint_t from = 0;
    while (part != nullptr) {
        const auto* const lines = static_cast<const ngx_table_elt_t*>(part->elts);
        const ngx_table_elt_t* const end = lines + part->nelts;
        const ngx_table_elt_t* line = lines + from;
        while (line < end && !condemned(*line)) ++line;
        if (line < end) {
            from = static_cast<ngx_uint_t>(line - lines);
            forget_header(r, line);
            cut_header(r, &part, &from);
        } else {
            part = part->next;
            from = 0;
        }
    }
}

}  // namespace gate::nginx
