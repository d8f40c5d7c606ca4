// What differs between nginx versions: since 1.23.0 header lines of one name are linked by `next`,
// and lines that used to be arrays of pointers are such chains.
#pragma once

#include "nginx/ngx.h"

namespace gate::nginx {

// Makes a freshly pushed header line valid for nginx's own readers.
inline void init_header_line([[maybe_unused]] ngx_table_elt_t* line) noexcept {
#if nginx_version >= 1023000
    line->next = nullptr;
#endif
}

#if nginx_version >= 1023000

// Takes `line` out of the chain that begins at `*head`.
inline void unlink_header_line(ngx_table_elt_t** head, const ngx_table_elt_t* line) noexcept {
    while (*head != nullptr && *head != line) head = &(*head)->next;
    if (*head != nullptr) *head = line->next;
}

// Header lines that nginx keeps more than one of: also chains here.
inline void forget_repeated_line(ngx_http_headers_in_t& in, ngx_uint_t offset,
                                 const ngx_table_elt_t* line) noexcept {
    auto** head = reinterpret_cast<ngx_table_elt_t**>(reinterpret_cast<char*>(&in) + offset);
    unlink_header_line(head, line);
}

#else

// Takes `line` out of the array of pointers at `offset`.
inline void forget_repeated_line(ngx_http_headers_in_t& in, ngx_uint_t offset,
                                 const ngx_table_elt_t* line) noexcept {
    auto* array = reinterpret_cast<ngx_array_t*>(reinterpret_cast<char*>(&in) + offset);
    auto** lines = static_cast<ngx_table_elt_t**>(array->elts);
    for (ngx_uint_t i = 0; i < array->nelts; ++i) {
        if (lines[i] != line) continue;
        for (ngx_uint_t j = i + 1; j < array->nelts; ++j) lines[j - 1] = lines[j];
        --array->nelts;
        return;
    }
}

#endif

// Adds a line to a response; nullptr when memory is short.
inline ngx_table_elt_t* add_response_header(ngx_http_request_t* r, const char* name,
                                            ngx_str_t value) noexcept {
    auto* line = static_cast<ngx_table_elt_t*>(ngx_list_push(&r->headers_out.headers));
    if (line == nullptr) return nullptr;
    line->hash = 1;
    line->key.data = reinterpret_cast<u_char*>(const_cast<char*>(name));
    line->key.len = ngx_strlen(name);
    line->lowcase_key = nullptr;
    line->value = value;
    init_header_line(line);
    return line;
}

}  // namespace gate::nginx
