#include "nginx/answer_filter.h"

#include <string>

#include "http/path.h"
#include "nginx/bridge.h"
#include "nginx/compat.h"
#include "nginx/headers.h"
#include "nginx/limits.h"
#include "nginx/record.h"
#include "nginx/worker.h"
#include "policy/challenge.h"

namespace gate::nginx {

namespace {

// Seconds after which a client may ask again when the gate could not decide.
constexpr std::string_view kRetryAfter = "5";

void push(ngx_http_request_t* r, const char* name, std::string_view value) {
    if (add_response_header(r, name, str(copy(r->pool, value))) == nullptr) throw std::bad_alloc();
}

std::string realm_of(ngx_http_request_t* r, const LocConf& location) {
    const auto* realm = location.gate.set() ? location.gate->realm : nullptr;
    if (realm == nullptr) {
        auto* server = static_cast<ngx_http_core_srv_conf_t*>(
            ngx_http_get_module_srv_conf(r, ngx_http_core_module));
        return std::string(view(server->server_name));
    }
    ngx_str_t value;
    if (ngx_http_complex_value(r, const_cast<ngx_http_complex_value_t*>(realm), &value) != NGX_OK) {
        throw std::bad_alloc();
    }
    return std::string(view(value));
}

void add_challenge(ngx_http_request_t* r, const Record& record, const LocConf& location) {
    const Decision& decision = record.decision;
    // A path is refused for its spelling, not for a credential.
    if (decision.reason == Reason::kDotSegment) return;
    if (location.gate.set() && !location.gate->challenge) return;
    auto text = policy::challenge(refusal_class(decision.reason), decision.http_status,
                                  realm_of(r, location), decision.scopes);
    if (text) push(r, "WWW-Authenticate", *text);
}

bool is_navigation(ngx_http_request_t* r) {
    return policy::is_browser_navigation(view(r->method_name), header_value(r, "sec-fetch-mode"),
                                         header_value(r, "accept"));
}

const ReplyConf* reply_for(const LocConf& location, int status) {
    for (const ReplyConf& reply : *location.replies) {
        if (!reply.outcome && reply.status == status) return &reply;
    }
    return nullptr;
}

// The body that replaces nginx's page; nothing where nginx's page is wanted.
std::optional<policy::Body> body_for(ngx_http_request_t* r, const Record& record,
                                     const LocConf& location) {
    const Decision& decision = record.decision;
    if (const ReplyConf* reply = reply_for(location, decision.http_status)) {
        return policy::Body{reply->type, reply->body->render([&](std::string_view field) {
                                return policy::refusal_field(field, decision.http_status);
                            })};
    }
    switch (*location.error_format) {
        case ErrorFormat::kProblem:
            return policy::refusal_body(policy::BodyFormat::kProblem, decision.http_status);
        case ErrorFormat::kJson:
            return policy::refusal_body(policy::BodyFormat::kJson, decision.http_status);
        case ErrorFormat::kText:
            return policy::refusal_body(policy::BodyFormat::kText, decision.http_status);
        case ErrorFormat::kAuto:
            if (is_navigation(r)) return std::nullopt;
            return policy::refusal_body(policy::BodyFormat::kProblem, decision.http_status);
        case ErrorFormat::kOff:
            break;
    }
    return std::nullopt;
}

// A browser that navigates is sent to the login page; the way back stays on this host.
bool redirect_to_login(ngx_http_request_t* r, const Record& record, const LocConf& location) {
    if (!location.login->on || record.decision.http_status != NGX_HTTP_UNAUTHORIZED) return false;
    if (!is_navigation(r)) return false;
    ngx_str_t url;
    auto* source = const_cast<ngx_http_complex_value_t*>(&location.login->url);
    if (ngx_http_complex_value(r, source, &url) != NGX_OK) throw std::bad_alloc();
    if (url.len == 0 || !policy::is_safe_identity(view(url))) return false;

    std::string target(view(url));
    target += target.find('?') == std::string::npos ? '?' : '&';
    target += location.login->return_arg;
    target += '=';
    target += http::percent_encode(http::safe_return_target(view(r->unparsed_uri)));
    // Only in the list: nginx would put the client's Host before a path in headers_out.location.
    ngx_http_clear_location(r);
    push(r, "Location", target);
    r->err_status = NGX_HTTP_MOVED_TEMPORARILY;
    r->headers_out.status = NGX_HTTP_MOVED_TEMPORARILY;
    r->headers_out.status_line.len = 0;
    return true;
}

void set_body_headers(ngx_http_request_t* r, const policy::Body& body) {
    r->headers_out.content_type = str(copy(r->pool, body.type));
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = nullptr;
    r->headers_out.charset.len = 0;
    r->headers_out.content_length_n = static_cast<off_t>(body.text.size());
    if (r->headers_out.content_length != nullptr) {
        r->headers_out.content_length->hash = 0;
        r->headers_out.content_length = nullptr;
    }
    ngx_http_clear_accept_ranges(r);
    ngx_http_clear_last_modified(r);
    ngx_http_clear_etag(r);
}

void write_answer(ngx_http_request_t* r, Record& record) {
    const LocConf& location = *record.decision.location;
    push(r, "Cache-Control", "no-store");
    policy::Body empty{"text/plain", ""};
    if (redirect_to_login(r, record, location)) {
        record.answer_body = copy(r->pool, empty.text);
        set_body_headers(r, empty);
        return;
    }
    add_challenge(r, record, location);
    if (refusal_class(record.decision.reason) == RefusalClass::kUnavailable) {
        push(r, "Retry-After", kRetryAfter);
    }
    if (auto body = body_for(r, record, location)) {
        record.answer_body = copy(r->pool, body->text);
        set_body_headers(r, *body);
    }
}

// A credential in the URL must not live on in caches and Referers.
void protect_argument(ngx_http_request_t* r) {
#if nginx_version >= 1023000
    for (ngx_table_elt_t* line = r->headers_out.cache_control; line != nullptr; line = line->next) {
        line->hash = 0;
    }
    r->headers_out.cache_control = nullptr;
#else
    auto** lines = static_cast<ngx_table_elt_t**>(r->headers_out.cache_control.elts);
    for (ngx_uint_t i = 0; i < r->headers_out.cache_control.nelts; ++i) lines[i]->hash = 0;
    r->headers_out.cache_control.nelts = 0;
#endif
    push(r, "Cache-Control", "no-store");
    push(r, "Referrer-Policy", "no-referrer");
}

bool answers_refusal(ngx_http_request_t* r) {
    Record* record = pending_refusal(r);
    return record != nullptr &&
           r->err_status == static_cast<ngx_uint_t>(record->decision.http_status);
}

bool came_by_argument(const Record& record) noexcept {
    return record.extraction.source == policy::SourceType::kArgument &&
           record.extraction.credential.kind != policy::CredentialKind::kNone;
}

// Most answers leave as they are.
bool is_touched(const Record& record) noexcept {
    return record.decision.status != GateStatus::kPassed || has_limit_headers(record.limits) ||
           came_by_argument(record);
}

[[gnu::noinline]] ngx_int_t touch_answer(ngx_http_request_t* r, Record& record) noexcept {
    return guard(r, ngx_int_t{NGX_ERROR}, [&]() -> ngx_int_t {
        const bool by_argument = came_by_argument(record);
        const bool dry_run = record.decision.status == GateStatus::kDryRun;
        if (!dry_run && has_limit_headers(record.limits)) push_limit_headers(r, record.limits);
        if (answers_refusal(r)) {
            write_answer(r, record);
            if (by_argument) push(r, "Referrer-Policy", "no-referrer");
        } else if (by_argument && !dry_run) {
            protect_argument(r);
        }
        return NGX_OK;
    });
}

[[gnu::hot]] ngx_int_t header_filter(ngx_http_request_t* r) {
    if (r == r->main) {
        Record* const record = Record::find(r);
        if (record != nullptr && is_touched(*record)) [[unlikely]] {
            if (const ngx_int_t rc = touch_answer(r, *record); rc != NGX_OK) return rc;
        }
    }
    return process.next_header_filter(r);
}

// nginx's page is dropped, our body goes out once in its place.
ngx_int_t send_answer(ngx_http_request_t* r, Record& record, ngx_chain_t* page) {
    for (; page != nullptr; page = page->next) page->buf->pos = page->buf->last;
    if (record.answer_sent) return NGX_OK;
    record.answer_sent = true;
    auto* buffer = static_cast<ngx_buf_t*>(ngx_calloc_buf(r->pool));
    if (buffer == nullptr) return NGX_ERROR;
    ngx_str_t text = str(*record.answer_body);
    buffer->pos = text.data;
    buffer->last = text.data + text.len;
    buffer->memory = text.len > 0 ? 1 : 0;
    buffer->last_buf = 1;
    buffer->last_in_chain = 1;
    ngx_chain_t chain{buffer, nullptr};
    return process.next_body_filter(r, &chain);
}

[[gnu::noinline]] ngx_int_t replace_page(ngx_http_request_t* r, ngx_chain_t* page) {
    Record* const record = pending_refusal(r);
    if (record == nullptr || r != r->main || page == nullptr || !record->answer_body) {
        return process.next_body_filter(r, page);
    }
    return send_answer(r, *record, page);
}

[[gnu::hot]] ngx_int_t body_filter(ngx_http_request_t* r, ngx_chain_t* in) {
    // Only an answer to an error has a page to replace.
    return r->err_status == 0 ? process.next_body_filter(r, in) : replace_page(r, in);
}

}  // namespace

ngx_int_t install_answer_filters(ngx_conf_t*) noexcept {
    process.next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = header_filter;
    process.next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = body_filter;
    return NGX_OK;
}

}  // namespace gate::nginx
