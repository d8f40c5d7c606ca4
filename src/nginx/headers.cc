#include "nginx/headers.h"

#include <new>

#include "nginx/compat.h"

namespace gate::nginx {

namespace {

// nginx's own loops step to the next part and read its first element without asking whether it has
// one: only the first part may be empty.
void unlink_part(ngx_list_t& list, ngx_list_part_t* empty) {
    ngx_list_part_t* before = &list.part;
    while (before->next != empty) before = before->next;
    before->next = empty->next;
    if (list.last == empty) list.last = before;
}

// A part that was cut has no room behind its elements, or room that something may still point at:
// the next push must open a new part. nginx does so once the last one holds `nalloc` elements.
void seal_last_part(ngx_list_t& list) {
    if (list.last->nelts > 0) {
        list.nalloc = list.last->nelts;
        return;
    }
    void* fresh = ngx_palloc(list.pool, list.nalloc * list.size);
    if (fresh == nullptr) throw std::bad_alloc();
    list.last->elts = fresh;
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

void forget_header(ngx_http_request_t* r, const ngx_table_elt_t* line) {
    if (line->lowcase_key == nullptr) return;
    if (r->headers_in.authorization == line) {
        r->headers_in.authorization = nullptr;
        return;
    }
    auto* cmcf = static_cast<ngx_http_core_main_conf_t*>(
        ngx_http_get_module_main_conf(r, ngx_http_core_module));
    ngx_uint_t hash = ngx_hash_key(line->lowcase_key, line->key.len);
    auto* known = static_cast<ngx_http_header_t*>(
        ngx_hash_find(&cmcf->headers_in_hash, hash, line->lowcase_key, line->key.len));
    if (known == nullptr || known->offset == 0) return;

#if nginx_version < 1023000
    std::string_view name = lowcase_name(*line);
    if (name != "cookie" && name != "x-forwarded-for") {
        auto** pointer = reinterpret_cast<ngx_table_elt_t**>(
            reinterpret_cast<char*>(&r->headers_in) + known->offset);
        if (*pointer == line) *pointer = nullptr;
        return;
    }
#endif
    forget_repeated_line(r->headers_in, known->offset, line);
}

void cut_header(ngx_http_request_t* r, ngx_list_part_t** part, ngx_uint_t* index) {
    ngx_list_t& list = r->headers_in.headers;
    ngx_list_part_t* here = *part;
    auto* lines = static_cast<ngx_table_elt_t*>(here->elts);
    if (cut_last_header(list, &lines[*index])) return;

    if (*index > 0 && *index + 1 < here->nelts) {
        auto* rest = static_cast<ngx_list_part_t*>(ngx_palloc(list.pool, sizeof(ngx_list_part_t)));
        if (rest == nullptr) throw std::bad_alloc();
        rest->elts = &lines[*index + 1];
        rest->nelts = here->nelts - *index - 1;
        rest->next = here->next;
        here->nelts = *index;
        here->next = rest;
        if (list.last == here) list.last = rest;
        *part = rest;
        *index = 0;
    } else {
        if (*index == 0) here->elts = &lines[1];
        --here->nelts;
        if (here->nelts == 0 && here != &list.part) {
            *part = here->next;
            *index = 0;
            unlink_part(list, here);
        }
    }
    seal_last_part(list);
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
