#include "nginx/extraction.h"

#include <algorithm>
#include <span>

#include "http/credential_text.h"
#include "nginx/bridge.h"
#include "nginx/early_hook.h"
#include "nginx/headers.h"

namespace gate::nginx {

namespace {

using policy::Candidate;
using policy::SourceType;

std::string_view cookie_line(Record& record, const ngx_table_elt_t& line) {
    for (const auto& [element, value] : record.lists().rewritten_cookies) {
        if (element == &line) return value;
    }
    return view(line.value);
}

void add(http::Found& sum, const http::Found& found) {
    if (sum.count == 0) sum.value = found.value;
    sum.count += found.count;
}

// With `remove` the lines that are found leave the list.
http::Found find_in_headers(ngx_http_request_t* r, Record& record, const SourceConf& source,
                            bool remove) {
    http::Found found;
    const std::size_t stripped_before = record.lists().stripped.size();
    remove_headers(r, [&](const ngx_table_elt_t& line) {
        if (!is_named(line, source.name)) return false;
        const http::Found here = http::from_header(view(line.value), source.scheme);
        if (here.count == 0) return false;
        if (line.hash != 0) add(found, here);
        if (remove) record.lists().stripped.emplace_back(lowcase_name(line), view(line.value));
        return remove;
    });
    for (std::size_t i = 0; i < stripped_before; ++i) {
        const auto& [name, value] = record.lists().stripped[i];
        if (name == source.name) add(found, http::from_header(value, source.scheme));
    }
    return found;
}

http::Found find_in_cookies(ngx_http_request_t* r, Record& record, const SourceConf& source) {
    http::Found found;
    each_header(r, [&](ngx_table_elt_t& line) {
        if (line.hash != 0 && lowcase_name(line) == "cookie") {
            http::from_cookie_line(cookie_line(record, line), source.name, found);
        }
        return true;
    });
    for (const auto& [name, value] : record.lists().stripped) {
        if (name == "cookie") http::from_cookie_line(value, source.name, found);
    }
    return found;
}

http::Found find_in_variable(ngx_http_request_t* r, Record& record, ngx_int_t index) {
    for (const auto& [known, value] : record.lists().source_variables) {
        if (known == index) return {value.empty() ? 0u : 1u, value};
    }
    ngx_http_variable_value_t* variable =
        ngx_http_get_flushed_variable(r, static_cast<ngx_uint_t>(index));
    std::string_view value;
    if (variable != nullptr && !variable->not_found) {
        value = copy(r->pool, {reinterpret_cast<const char*>(variable->data), variable->len});
    }
    record.lists().source_variables.emplace_back(index, value);
    return {value.empty() ? 0u : 1u, value};
}

// A cookie that another site's page made the browser send.
bool is_foreign(ngx_http_request_t* r, const SourceConf& source) {
    if (source.origin == CookieOrigin::kAny) return false;
    bool upgrade = r->headers_in.upgrade != nullptr;
    if (http::is_safe_method(view(r->method_name)) && !upgrade) return false;
    std::string_view allowed;
    if (source.origin == CookieOrigin::kVariable) {
        ngx_http_variable_value_t* variable =
            ngx_http_get_flushed_variable(r, static_cast<ngx_uint_t>(source.variable));
        if (variable != nullptr && !variable->not_found) {
            allowed = {reinterpret_cast<const char*>(variable->data), variable->len};
        }
    }
    return is_from_another_site(r, allowed);
}

Candidate candidate_of(const SourcePlace& place, const http::Found& found, bool foreign) {
    return {.type = place.source.type,
            .for_jwt = place.for_jwt,
            .for_key = place.for_key,
            .count = found.count,
            .value = found.value,
            .cross_site = foreign};
}

Candidate look(ngx_http_request_t* r, Record& record, const SourcePlace& place, bool remove) {
    const SourceConf& source = place.source;
    http::Found found;
    bool foreign = false;
    switch (source.type) {
        case SourceType::kHeader:
            found = find_in_headers(r, record, source, remove);
            break;
        case SourceType::kCookie:
            found = find_in_cookies(r, record, source);
            foreign = found.count > 0 && is_foreign(r, source);
            break;
        case SourceType::kArgument:
            found = http::from_arguments(record.original_arguments, source.name);
            break;
        case SourceType::kVariable:
            found = find_in_variable(r, record, source.variable);
            break;
    }
    return candidate_of(place, found, foreign);
}

void set_credential(Extraction& extraction, std::string_view text, bool for_jwt, bool for_key,
                    const LocConf& location) {
    if (for_jwt && for_key) {
        extraction.credential = policy::classify(text, location.gate->key_stores);
        return;
    }
    extraction.credential.kind =
        for_key ? policy::CredentialKind::kKey : policy::CredentialKind::kJwt;
    extraction.credential.text = text;
}

void strip_cookie(ngx_http_request_t* r, Record& record, const SourceConf& source) {
    bool emptied = false;
    each_header(r, [&](ngx_table_elt_t& line) {
        if (lowcase_name(line) != "cookie") return true;
        http::Found found;
        http::from_cookie_line(view(line.value), source.name, found);
        if (found.count == 0) return true;
        if (cookie_line(record, line).data() == view(line.value).data()) {
            record.lists().rewritten_cookies.emplace_back(&line, view(line.value));
        }
        line.value = str(copy(r->pool, http::without_cookie(view(line.value), source.name)));
        emptied = emptied || line.value.len == 0;
        return true;
    });
    if (!emptied) return;
    remove_headers(r, [&](const ngx_table_elt_t& line) {
        if (lowcase_name(line) != "cookie" || line.value.len != 0) return false;
        record.lists().stripped.emplace_back("cookie", cookie_line(record, line));
        return true;
    });
}

// The path keeps its bytes: only what follows '?' is written anew.
void strip_argument(ngx_http_request_t* r, const SourceConf& source, bool remove) {
    if (http::from_arguments(view(r->args), source.name).count > 0) {
        if (remove) {
            r->args = str(copy(r->pool, http::without_argument(view(r->args), source.name)));
        } else {
            std::string_view masked = copy(r->pool, std::string("?").append(view(r->args)));
            ngx_str_t text = str(masked);
            mask_arguments(text, {source.name});
            r->args = {text.len - 1, text.data + 1};
        }
    }
    std::string_view raw = view(r->unparsed_uri);
    std::size_t mark = raw.find('?');
    if (mark == std::string_view::npos) return;
    if (http::from_arguments(raw.substr(mark + 1), source.name).count == 0) return;
    if (remove) {
        std::string query = http::without_argument(raw.substr(mark + 1), source.name);
        std::string uri(raw.substr(0, mark));
        if (!query.empty()) uri.append("?").append(query);
        r->unparsed_uri = str(copy(r->pool, uri));
    } else {
        r->unparsed_uri = str(copy(r->pool, raw));
        mask_arguments(r->unparsed_uri, {source.name});
    }
}

// What was stripped in passing becomes one of the headers that were.
void list_lone_header(Record& record) {
    if (record.lone_header == nullptr) return;
    record.lists().stripped.emplace_back(lowcase_name(*record.lone_header),
                                         view(record.lone_header->value));
    record.lone_header = nullptr;
}

void begin(Extraction& extraction, const LocConf& location) {
    extraction = Extraction{};
    extraction.location = &location;
}

void choose(Extraction& extraction, std::span<const Candidate> candidates,
            const LocConf& location) {
    auto selected = policy::select_credential(candidates, *location.conflict);
    if (!selected) {
        extraction.problem = selected.error();
        return;
    }
    extraction.cross_site = selected->cross_site;
    if (selected->candidate == nullptr) return;
    extraction.source = selected->candidate->type;
    const Candidate& candidate = *selected->candidate;
    set_credential(extraction, candidate.value, candidate.for_jwt, candidate.for_key, location);
}

// `remove`: with the lines of header sources taken out of the request.
[[gnu::noinline]] void find_credential(ngx_http_request_t* r, Record& record,
                                       const LocConf& location, bool remove) {
    list_lone_header(record);
    begin(record.extraction, location);
    record.lists().candidates.clear();
    for (const SourcePlace& place : location.places) {
        record.lists().candidates.push_back(look(r, record, place, remove));
    }
    choose(record.extraction, record.lists().candidates, location);
}

// The header of that name; nullptr unless there is exactly one.
ngx_table_elt_t* find_lone_header(ngx_http_request_t* r,
                                  const http::HeaderPattern& pattern) noexcept {
    ngx_table_elt_t* found = nullptr;
    bool alone = true;
    each_header(r, [&](ngx_table_elt_t& line) {
        if (!pattern.is_name(lowcase_name(line))) return true;
        alone = found == nullptr;
        found = &line;
        return alone;
    });
    return alone ? found : nullptr;
}

// One that cut_last_header() leaves alone.
[[gnu::noinline]] void cut_inner_header(ngx_http_request_t* r, const ngx_table_elt_t* header) {
    for (ngx_list_part_t* part = &r->headers_in.headers.part; part != nullptr; part = part->next) {
        const auto* const lines = static_cast<const ngx_table_elt_t*>(part->elts);
        if (header < lines || header >= lines + part->nelts) continue;
        auto index = static_cast<ngx_uint_t>(header - lines);
        cut_header(r, &part, &index);
        return;
    }
}

[[gnu::noinline]] void strip(ngx_http_request_t* r, Record& record, const LocConf& location) {
    const bool remove = *location.strip;
    for (const SourcePlace& place : location.places) {
        const SourceConf& source = place.source;
        switch (source.type) {
            case SourceType::kHeader:
                if (remove) find_in_headers(r, record, source, true);
                break;
            case SourceType::kCookie:
                if (remove) strip_cookie(r, record, source);
                break;
            case SourceType::kArgument:
                strip_argument(r, source, remove);
                break;
            case SourceType::kVariable:
                break;
        }
    }
}

[[gnu::noinline]] void classify(Record& record, std::string_view text, const GateConf& gate) {
    record.extraction.credential = policy::classify(text, gate.key_stores);
}

}  // namespace

bool is_from_another_site(ngx_http_request_t* r, std::string_view allowed) {
    std::string_view host = r->headers_in.host != nullptr ? view(r->headers_in.host->value) : "";
    std::string_view scheme = "http";
#if (NGX_HTTP_SSL)
    if (r->connection->ssl != nullptr) scheme = "https";
#endif
    return http::is_cross_site(header_value(r, "origin"), header_value(r, "sec-fetch-site"), scheme,
                               host, allowed);
}

bool asks_for_cors(ngx_http_request_t* r) {
    return !header_value(r, "origin").empty() &&
           !header_value(r, "access-control-request-method").empty();
}

void extract(ngx_http_request_t* r, Record& record, const LocConf& location) {
    if (record.extraction.location != &location) find_credential(r, record, location, false);
}

[[gnu::hot]] bool take_lone_header(ngx_http_request_t* r, Record& record, const LocConf& location) {
    const LoneHeader& lone = location.lone_header;
    if (!lone.pattern || record.extraction.location != nullptr) [[unlikely]]
        return false;
    const ngx_table_elt_t* const line = find_lone_header(r, lone.pattern);
    if (line == nullptr || line->hash == 0) [[unlikely]]
        return false;
    const std::string_view text = lone.pattern.credential(view(line->value));
    if (text.empty() || text.size() > *location.max_token_size) [[unlikely]]
        return false;
    if (r->headers_in.authorization == line) {
        r->headers_in.authorization = nullptr;
    } else if (lone.known_header) [[unlikely]] {
        forget_header(r, line);
    }
    if (lone.cached >= 0) [[unlikely]]
        forget_variable(r, static_cast<ngx_uint_t>(lone.cached));
    if (!cut_last_header(r->headers_in.headers, line)) [[unlikely]]
        cut_inner_header(r, line);
    record.lone_header = line;
    record.extraction.location = &location;
    if (lone.kind == policy::CredentialKind::kNone) {
        classify(record, text, *location.gate);
    } else {
        record.extraction.credential = {lone.kind, text};
    }
    return true;
}

void take(ngx_http_request_t* r, Record& record, const LocConf& location) {
    // Looking and stripping are one walk where other sources cannot look at what is stripped.
    if (location.only_header_sources && record.extraction.location != &location) {
        find_credential(r, record, location, *location.strip);
    } else {
        extract(r, record, location);
        strip(r, record, location);
    }
    for (const ngx_uint_t index : main_conf(r).credential_variables) forget_variable(r, index);
}

}  // namespace gate::nginx
