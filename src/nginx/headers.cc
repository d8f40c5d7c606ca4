#include "nginx/headers.h"

#include <new>

#include "nginx/compat.h"

namespace gate::nginx {

namespace {

// headers_in points at some lines by name; a removed one must not be found there.
void forget(ngx_http_request_t* r, const ngx_table_elt_t* line) {
    if (line->lowcase_key == nullptr) return;
    auto* cmcf = static_cast<ngx_http_core_main_conf_t*>(
        ngx_http_get_module_main_conf(r, ngx_http_core_module));
    ngx_uint_t hash = ngx_hash_key(line->lowcase_key, line->key.len);
    auto* known = static_cast<ngx_http_header_t*>(
        ngx_hash_find(&cmcf->headers_in_hash, hash, line->lowcase_key, line->key.len));
    if (known == nullptr || known->offset == 0) return;

    std::string_view name = lowcase_name(*line);
#if nginx_version < 1023000
    if (name != "cookie" && name != "x-forwarded-for") {
        auto** pointer = reinterpret_cast<ngx_table_elt_t**>(
            reinterpret_cast<char*>(&r->headers_in) + known->offset);
        if (*pointer == line) *pointer = nullptr;
        return;
    }
#endif
    forget_repeated_line(r->headers_in, known->offset, line);
}

// The last part takes new elements behind its own while there are fewer than `nalloc`. A part that
// begins later in its memory has room for fewer, so an empty part of full size becomes the last
// one.
void append_fresh_part(ngx_http_request_t* r, ngx_list_part_t* last) {
    ngx_list_t& list = r->headers_in.headers;
    auto* part = static_cast<ngx_list_part_t*>(ngx_palloc(list.pool, sizeof(ngx_list_part_t)));
    if (part == nullptr) throw std::bad_alloc();
    part->elts = ngx_palloc(list.pool, list.nalloc * list.size);
    if (part->elts == nullptr) throw std::bad_alloc();
    part->nelts = 0;
    part->next = nullptr;
    last->next = part;
    list.last = part;
}

}  // namespace

std::string_view header_value(ngx_http_request_t* r, std::string_view lowcase) {
    std::string_view found;
    each_header(r, [&](ngx_table_elt_t& line) {
        if (line.hash == 0 || lowcase_name(line) != lowcase) return true;
        found = view(line.value);
        return false;
    });
    return found;
}

void cut_header(ngx_http_request_t* r, ngx_list_part_t** part, ngx_uint_t* index) {
    ngx_list_t& list = r->headers_in.headers;
    ngx_list_part_t* here = *part;
    auto* lines = static_cast<ngx_table_elt_t*>(here->elts);
    ngx_table_elt_t* line = &lines[*index];
    forget(r, line);

    if (*index + 1 == here->nelts) {
        --here->nelts;
        // The slot is not used again while something may still point at it.
        if (list.last == here) append_fresh_part(r, here);
        return;
    }
    if (*index == 0) {
        here->elts = &lines[1];
        --here->nelts;
        if (list.last == here) append_fresh_part(r, here);
        return;
    }
    auto* rest = static_cast<ngx_list_part_t*>(ngx_palloc(list.pool, sizeof(ngx_list_part_t)));
    if (rest == nullptr) throw std::bad_alloc();
    rest->elts = &lines[*index + 1];
    rest->nelts = here->nelts - *index - 1;
    rest->next = here->next;
    here->nelts = *index;
    here->next = rest;
    if (list.last == here) append_fresh_part(r, rest);
    *part = rest;
    *index = 0;
}

ngx_table_elt_t* add_header(ngx_http_request_t* r, std::string_view name, std::string_view lowcase,
                            ngx_uint_t hash, std::string_view value) {
    ngx_list_t& list = r->headers_in.headers;
    // A request that nginx refused before it read any header has no list yet.
    if (list.last == nullptr &&
        ngx_list_init(&list, r->pool, 20, sizeof(ngx_table_elt_t)) != NGX_OK) {
        throw std::bad_alloc();
    }
    auto* line = static_cast<ngx_table_elt_t*>(ngx_list_push(&list));
    if (line == nullptr) throw std::bad_alloc();
    line->hash = hash;
    line->key = str(name);
    line->lowcase_key = reinterpret_cast<u_char*>(const_cast<char*>(lowcase.data()));
    line->value = str(value);
    init_header_line(line);
    if (lowcase == "authorization") r->headers_in.authorization = line;
    return line;
}

}  // namespace gate::nginx
