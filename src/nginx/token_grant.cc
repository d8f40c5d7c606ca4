#include "nginx/token_grant.h"

#include <algorithm>
#include <limits>

#include "base/json_text.h"
#include "crypto/digest.h"
#include "nginx/bridge.h"
#include "nginx/compat.h"
#include "policy/reply_fields.h"
#include "policy/user_claims.h"

namespace gate::nginx {

namespace {

using cache::RevocationKind;

std::string claims_of(const LiveIssuer& live, const users::User& user) {
    if (!live.claims) return policy::usual_claims(user, live.issuer);
    return live.claims->render(
        [&user](std::string_view field) { return policy::user_field(user, field); });
}

std::string refresh_field(const TokenGrant& grant, std::string_view field) {
    const jose::NewToken& token = *grant.refresh;
    if (field == "refresh_token") return json_string(token.text);
    if (field == "refresh_expires_in") return policy::reply_number(token.expires - grant.now);
    if (policy::instant_name(field) == "refresh_expires_at") {
        return policy::reply_instant(field, token.expires);
    }
    return field == "sid" ? json_string(grant.session) : std::string();
}

constexpr Seconds kNeverEnds = std::numeric_limits<Seconds>::max();

// How long beyond "exp" a token is good for something.
Seconds grace_of(const LiveIssuer& live) noexcept {
    return live.issuer.leeway_exp + live.expired_grace + 1;
}

cache::JournalEntry revocation(RevocationKind kind, jose::Value claims, std::string value,
                               Seconds now, Seconds until) {
    return {.written = now,
            .kind = kind,
            .issuer = std::string(claims.member("iss").string().value_or("")),
            .value = std::move(value),
            .expires = saturated(until)};
}

void push_cookie(ngx_http_request_t* r, std::string_view text) {
    if (add_response_header(r, "Set-Cookie", str(copy(r->pool, text))) == nullptr) {
        throw std::bad_alloc();
    }
}

}  // namespace

std::optional<TokenGrant> grant_tokens(const LiveIssuer& live, const users::User& user, Seconds now,
                                       const std::optional<Session>& session, Seconds latest) {
    if (!live.trusted.keys) return std::nullopt;
    const jose::KeySet& keys = *live.trusted.keys;
    const bool refreshes = live.issuer.signing->refresh != 0;
    jose::Grant grant{.subject = user.name,
                      .session_began = session ? session->began : now,
                      .claims = claims_of(live, user)};
    if (refreshes) {
        auto id = session ? session->id : jose::random_identifier();
        if (!id) return std::nullopt;
        grant.session = *std::move(id);
    }
    auto access = jose::issue_access_token(keys, live.issuer, grant, now);
    if (!access) return std::nullopt;
    TokenGrant granted{now, grant.session, *std::move(access), std::nullopt};
    if (refreshes) {
        granted.refresh = jose::issue_refresh_token(keys, live.issuer, grant, now, latest);
        if (!granted.refresh) return std::nullopt;
    }
    return granted;
}

cache::JournalEntry token_revocation(const LiveIssuer& live, std::string_view token,
                                     jose::Value claims, Seconds now) {
    const auto exp = claims.member("exp").number();
    const Seconds until = exp ? static_cast<Seconds>(*exp) + grace_of(live) : kNeverEnds;
    const auto jti = claims.member("jti").string().value_or("");
    if (!jti.empty()) return revocation(RevocationKind::kJti, claims, std::string(jti), now, until);
    const std::string_view input = token.substr(0, token.rfind('.'));
    return revocation(RevocationKind::kToken, claims, to_hex(crypto::sha256(bytes_of(input))), now,
                      until);
}

std::optional<cache::JournalEntry> session_revocation(const LiveIssuer& live, jose::Value claims,
                                                      Seconds now) {
    const auto sid = claims.member("sid").string();
    const auto& signing = live.issuer.signing;
    if (!sid || !signing) return std::nullopt;
    const Seconds longest = std::max(signing->access, signing->refresh);
    return revocation(RevocationKind::kSession, claims, std::string(*sid), now,
                      now + longest + grace_of(live));
}

std::string grant_field(const TokenGrant& grant, const users::User& user, std::string_view field) {
    if (field == "access_token") return json_string(grant.access.text);
    if (field == "token_type") return json_string("Bearer");
    if (field == "expires_in") return policy::reply_number(grant.access.expires - grant.now);
    if (policy::instant_name(field) == "expires_at") {
        return policy::reply_instant(field, grant.access.expires);
    }
    if (field == "scope") return policy::reply_words(user.scopes);
    if (field == "scopes") return policy::reply_list(user.scopes);
    if (field.starts_with("user.")) return policy::user_field(user, field);
    return grant.refresh ? refresh_field(grant, field) : std::string();
}

bool set_token_cookies(ngx_http_request_t* r, const LocConf& location, const TokenGrant& grant) {
    return std::ranges::all_of(*location.cookies, [&](const TokenCookie& cookie) {
        if (cookie.refresh && !grant.refresh) return true;
        const jose::NewToken& token = cookie.refresh ? *grant.refresh : grant.access;
        const auto text = http::set_cookie(cookie.settings, token.text, token.expires - grant.now);
        if (text) {
            push_cookie(r, *text);
            return true;
        }
        const ngx_str_t name = str(cookie.settings.name);
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "gate: a token of %uz octets is too long for the cookie \"%V\"; put fewer "
                      "claims into it",
                      token.text.size(), &name);
        return false;
    });
}

void clear_token_cookies(ngx_http_request_t* r, const LocConf& location) {
    for (const TokenCookie& cookie : *location.cookies) {
        push_cookie(r, http::set_cookie(cookie.settings, "", 0).value_or(""));
    }
}

}  // namespace gate::nginx
