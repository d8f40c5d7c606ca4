#include "nginx/variables.h"

#include <string>

#include "base/ascii.h"
#include "base/base64url.h"
#include "nginx/bridge.h"
#include "nginx/record.h"
#include "nginx/refusal_log.h"

namespace gate::nginx {

namespace {

using jose::Value;

// The text of a variable, or nothing; it lives as long as the request. Whatever a token holds, no
// control character leaves a variable: proxy_set_header would write it into the upstream request as
// it is.
using Text = std::optional<std::string_view>;
using Reader = Text (*)(ngx_http_request_t* r, Record& record);

ngx_int_t give(ngx_http_request_t* r, ngx_http_variable_value_t* v, const Text& text) {
    v->valid = text ? 1 : 0;
    v->not_found = text ? 0 : 1;
    v->no_cacheable = 1;
    if (!text) return NGX_OK;
    if (has_control_character(*text)) {
        if (Record* record = Record::find(r)) record->identity_unsafe = true;
        v->valid = 0;
        v->not_found = 1;
        return NGX_OK;
    }
    v->data = reinterpret_cast<u_char*>(const_cast<char*>(text->data()));
    v->len = static_cast<unsigned>(text->size()) & 0x0fffffffu;
    return NGX_OK;
}

// The record of a request whose gate variables count as read from now on.
Record& asked_record(ngx_http_request_t* r) {
    Record& record = Record::of(r);
    record.variables_read = true;
    return record;
}

ngx_int_t read_variable(ngx_http_request_t* r, ngx_http_variable_value_t* v, uintptr_t data) {
    return guard(r, ngx_int_t{NGX_ERROR}, [&]() -> ngx_int_t {
        Record& record = asked_record(r);
        return give(r, v, reinterpret_cast<Reader>(data)(r, record));
    });
}

Text nonempty(std::string_view text) {
    return text.empty() ? std::nullopt : Text(text);
}

// Of what may be gone before the request is: an identity changes with an internal redirect.
Text kept(ngx_http_request_t* r, std::string_view text) {
    return text.empty() ? std::nullopt : Text(copy(r->pool, text));
}

template <std::string_view policy::Principal::*Field>
Text principal_text(ngx_http_request_t* r, Record& record) {
    const policy::Principal* principal = record.principal();
    return principal != nullptr ? kept(r, principal->*Field) : std::nullopt;
}

Text key_id_text(ngx_http_request_t* r, Record& record) {
    const policy::Principal* principal = record.principal();
    return principal != nullptr ? kept(r, principal->key_id()) : std::nullopt;
}

// A list as one text; one that cannot be joined safely refuses the request where it is an identity.
template <const std::optional<std::string>& (policy::Principal::*List)() const>
Text principal_list(ngx_http_request_t* r, Record& record) {
    const policy::Principal* principal = record.principal();
    if (principal == nullptr) return std::nullopt;
    const std::optional<std::string>& joined = (principal->*List)();
    if (!joined) {
        record.identity_unsafe = true;
        return std::nullopt;
    }
    return kept(r, *joined);
}

template <policy::TextList policy::Principal::*Field>
Text principal_first(ngx_http_request_t* r, Record& record) {
    const policy::Principal* principal = record.principal();
    if (principal == nullptr || (principal->*Field).empty()) return std::nullopt;
    return kept(r, (principal->*Field).front());
}

Text status_text(ngx_http_request_t*, Record& record) {
    return nonempty(name_of(record.decision.status));
}

Text reason_text(ngx_http_request_t*, Record& record) {
    return nonempty(code(record.decision.reason));
}

Text credential_text(ngx_http_request_t*, Record& record) {
    return policy::name_of(record.identity.kind());
}

Text expires_text(ngx_http_request_t* r, Record& record) {
    const policy::Principal* principal = record.principal();
    if (principal == nullptr || !principal->expires) return std::nullopt;
    return kept(r, std::to_string(*principal->expires));
}

Text cache_text(ngx_http_request_t*, Record& record) {
    if (!record.identity.known()) return std::nullopt;
    switch (record.cache) {
        case policy::CacheOutcome::kHit:
            return "HIT";
        case policy::CacheOutcome::kMiss:
            return "MISS";
        case policy::CacheOutcome::kBypass:
            break;
    }
    return "BYPASS";
}

Text token_id_text(ngx_http_request_t* r, Record& record) {
    return kept(r, token_id(main_conf(r), record.extraction.credential.text));
}

Text claims_text(ngx_http_request_t* r, Record& record) {
    const policy::Principal* principal = record.principal();
    return principal != nullptr ? kept(r, principal->claims.root().dump()) : std::nullopt;
}

// Strings as they are; numbers, booleans as JSON; arrays of strings joined by comma; the rest as
// JSON.
Text claim_text(ngx_http_request_t* r, Record& record, Value value, ClaimForm form) {
    if (!value.present() || value.is(Value::Kind::kNull)) return std::nullopt;
    if (form == ClaimForm::kJson) return kept(r, value.dump());
    if (auto text = value.string()) {
        if (form == ClaimForm::kBase64url) return copy(r->pool, base64url_encode(bytes_of(*text)));
        return kept(r, *text);
    }
    if (form == ClaimForm::kBase64url) return kept(r, base64url_encode(bytes_of(value.dump())));
    if (auto list = value.string_list()) {
        auto joined = policy::join_identity(*list, ',');
        if (!joined) record.identity_unsafe = true;
        return joined ? kept(r, *joined) : std::nullopt;
    }
    return kept(r, value.dump());
}

// "gate_claim_NAME", "gate_header_NAME": the part after the prefix.
ngx_int_t read_member(ngx_http_request_t* r, ngx_http_variable_value_t* v, uintptr_t data,
                      std::size_t prefix, policy::LazyDocument policy::Principal::*document) {
    return guard(r, ngx_int_t{NGX_ERROR}, [&]() -> ngx_int_t {
        Record& record = asked_record(r);
        if (!record.identity.known()) return give(r, v, std::nullopt);
        std::string_view name = view(*reinterpret_cast<ngx_str_t*>(data)).substr(prefix);
        Value value = (record.principal()->*document).root().member(name);
        return give(r, v, claim_text(r, record, value, ClaimForm::kText));
    });
}

constexpr std::string_view kClaimPrefix = "gate_claim_";
constexpr std::string_view kHeaderPrefix = "gate_header_";

ngx_int_t read_claim(ngx_http_request_t* r, ngx_http_variable_value_t* v, uintptr_t data) {
    return read_member(r, v, data, kClaimPrefix.size(), &policy::Principal::claims);
}

ngx_int_t read_header(ngx_http_request_t* r, ngx_http_variable_value_t* v, uintptr_t data) {
    return read_member(r, v, data, kHeaderPrefix.size(), &policy::Principal::header);
}

struct Variable {
    std::string_view name;
    Reader reader;
};

constexpr Variable kVariables[] = {
    {"gate_status", status_text},
    {"gate_reason", reason_text},
    {"gate_credential", credential_text},
    {"gate_subject", principal_text<&policy::Principal::subject>},
    {"gate_issuer", principal_text<&policy::Principal::issuer>},
    {"gate_client", principal_text<&policy::Principal::client>},
    {"gate_key_id", key_id_text},
    {"gate_key_name", principal_text<&policy::Principal::key_name>},
    {"gate_scopes", principal_list<&policy::Principal::scopes_text>},
    {"gate_roles", principal_list<&policy::Principal::roles_text>},
    {"gate_role", principal_first<&policy::Principal::roles>},
    {"gate_groups", principal_list<&policy::Principal::groups_text>},
    {"gate_group", principal_first<&policy::Principal::groups>},
    {"gate_claims", claims_text},
    {"gate_expires", expires_text},
    {"gate_cache", cache_text},
    {"gate_token_id", token_id_text},
};

ngx_int_t add_prefix(ngx_conf_t* cf, std::string_view prefix, ngx_http_get_variable_pt handler) {
    ngx_str_t name = str(prefix);
    ngx_http_variable_t* variable =
        ngx_http_add_variable(cf, &name, NGX_HTTP_VAR_PREFIX | NGX_HTTP_VAR_NOCACHEABLE);
    if (variable == nullptr) return NGX_ERROR;
    variable->get_handler = handler;
    return NGX_OK;
}

}  // namespace

ngx_int_t add_variables(ngx_conf_t* cf) {
    for (const Variable& known : kVariables) {
        ngx_str_t name = str(known.name);
        ngx_http_variable_t* variable = ngx_http_add_variable(cf, &name, NGX_HTTP_VAR_NOCACHEABLE);
        if (variable == nullptr) return NGX_ERROR;
        variable->get_handler = read_variable;
        variable->data = reinterpret_cast<uintptr_t>(known.reader);
    }
    // The refusal's log line and $request_id in the access log must be the same.
    ngx_str_t request_id = ngx_string("request_id");
    if (ngx_http_get_variable_index(cf, &request_id) == NGX_ERROR) return NGX_ERROR;
    if (add_prefix(cf, kClaimPrefix, read_claim) != NGX_OK) return NGX_ERROR;
    return add_prefix(cf, kHeaderPrefix, read_header);
}

ngx_int_t claim_variable(ngx_http_request_t* r, ngx_http_variable_value_t* v, uintptr_t data) {
    return guard(r, ngx_int_t{NGX_ERROR}, [&]() -> ngx_int_t {
        Record& record = asked_record(r);
        if (!record.identity.known()) return give(r, v, std::nullopt);
        const auto& claim = *reinterpret_cast<const ClaimVariable*>(data);
        Value value = record.principal()->claims.root().find(claim.path);
        return give(r, v, claim_text(r, record, value, claim.form));
    });
}

}  // namespace gate::nginx
