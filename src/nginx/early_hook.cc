#include "nginx/early_hook.h"

#include "http/credential_text.h"
#include "http/path.h"
#include "nginx/bridge.h"
#include "nginx/headers.h"

namespace gate::nginx {

namespace {

bool may_hold_identity(ngx_http_request_t* r, const NameMarks& marks) noexcept {
    bool may_hold = false;
    each_header(r, [&](const ngx_table_elt_t& line) {
        may_hold = marks.may_hold(view(line.key));
        return !may_hold;
    });
    return may_hold;
}

[[gnu::noinline]] void remove_identity_headers(ngx_http_request_t* r, const NameMarks& marks) {
    remove_headers(r, [&names = main_conf(r).identity_names, &marks](const ngx_table_elt_t& line) {
        return marks.may_hold(view(line.key)) && names.contains(normal_header_name(view(line.key)));
    });
}

bool names_any(std::string_view query, const std::set<std::string>& names) {
    for (const std::string& name : names) {
        if (!http::argument_values(query, name).empty()) return true;
    }
    return false;
}

// The log reads these; what the application gets is scrubbed when its location is known.
void mask_logged_text(ngx_http_request_t* r, const std::set<std::string>& names) {
    if (names_any(view(r->args), names)) {
        r->request_line = str(copy(r->pool, view(r->request_line)));
        mask_arguments(r->request_line, names);
    }
    each_header(r, [&](ngx_table_elt_t& line) {
        if (lowcase_name(line) != "referer") return true;
        std::size_t query = view(line.value).find('?');
        if (query == std::string_view::npos) return true;
        if (!names_any(view(line.value).substr(query + 1), names)) return true;
        line.value = str(copy(r->pool, view(line.value)));
        mask_arguments(line.value, names);
        return true;
    });
}

// The query is kept as it came; `names` are those of its arguments that may hold a credential.
[[gnu::noinline]] void hide_query(ngx_http_request_t* r, Record& record,
                                  const std::set<std::string>& names) {
    record.original_arguments = copy(r->pool, view(r->args));
    mask_logged_text(r, names);
}

[[gnu::noinline]] ngx_int_t judge_path(ngx_http_request_t* r, Record& record) {
    const std::string_view target = view(r->unparsed_uri);
    if (!http::has_climbing_segment(target.substr(0, target.find('?')))) return NGX_DECLINED;
    return record.refuse(r, {.status = GateStatus::kDenied,
                             .reason = Reason::kDotSegment,
                             .http_status = NGX_HTTP_BAD_REQUEST,
                             .scopes = {},
                             .where = {},
                             .location = &loc_conf(r)});
}

}  // namespace

void mask_arguments(ngx_str_t& text, const std::set<std::string>& names) {
    std::size_t mark = view(text).find('?');
    if (mark == std::string_view::npos) return;
    std::string_view query = view(text).substr(mark + 1);
    // In a request line the query ends before " HTTP/1.1"; in a Referer before '#'.
    query = query.substr(0, query.find_first_of(" #"));
    for (const std::string& name : names) {
        for (const http::Span& span : http::argument_values(query, name)) {
            ngx_memset(text.data + mark + 1 + span.offset, '*', span.size);
        }
    }
}

void hide_arguments(ngx_http_request_t* r) {
    if (r->request_line.data == nullptr) return;
    mask_arguments(r->request_line, srv_conf(r).argument_names);
}

[[gnu::hot]] ngx_int_t enter(ngx_http_request_t* r, Record& record) {
    const SrvConf& server = srv_conf(r);
    if (server.clears_identity && may_hold_identity(r, server.identity_marks)) {
        remove_identity_headers(r, server.identity_marks);
    }
    record.entered = true;  // not before: a page for what is thrown here has to begin anew
    record.original_arguments = view(r->args);
    if (server.has_arguments) hide_query(r, record, server.argument_names);
    if (!server.refuses_dot_segments) return NGX_DECLINED;
    // Nearly always the whole target is level, so that nobody has to ask where its path ends.
    return http::is_level(view(r->unparsed_uri)) ? NGX_DECLINED : judge_path(r, record);
}

}  // namespace gate::nginx
