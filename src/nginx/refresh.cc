// gate_refresh: a refresh token, or the token that is about to end, for new ones.
#include <algorithm>

#include "http/credential_text.h"
#include "jose/jwt.h"
#include "nginx/bridge.h"
#include "nginx/conf_check.h"
#include "nginx/content.h"
#include "nginx/endpoint.h"
#include "nginx/extraction.h"
#include "nginx/headers.h"
#include "nginx/journal_feed.h"
#include "nginx/revocation_write.h"
#include "nginx/setters.h"
#include "nginx/token_grant.h"
#include "nginx/token_use.h"
#include "policy/recall.h"

namespace gate::nginx {

namespace {

using jose::Claims;
using users::User;

std::string_view bearer_token(ngx_http_request_t* r) {
    const auto found = http::from_header(header_value(r, "authorization"), "Bearer");
    return found.count == 1 ? found.value : std::string_view();
}

// One that another site's page makes the browser send does not count; nor do two.
std::string_view cookie_token(ngx_http_request_t* r, const LocConf& location) {
    const auto& cookies = *location.cookies;
    const auto named = std::ranges::find(cookies, true, &TokenCookie::refresh);
    if (named == cookies.end() || is_from_another_site(r)) return {};
    http::Found found;
    each_header(r, [&](const ngx_table_elt_t& line) {
        if (is_named(line, "cookie")) {
            http::from_cookie_line(view(line.value), named->settings.name, found);
        }
        return true;
    });
    return found.count == 1 ? found.value : std::string_view();
}

class Refresh final : public Endpoint {
public:
    using Endpoint::Endpoint;

private:
    Step go_on() override {
        if (!use_.begun()) return begin();
        if (!use_.result()) return wait();
        if (!write_.begun()) return settle_use();
        return write_.result() ? conclude() : wait();
    }
    void abandon() noexcept override {
        use_.leave();
        write_.leave();
    }

    const ContentConf& conf() const noexcept { return location().content; }
    const LiveIssuer& live() const noexcept { return *conf().issuer; }
    Step begin();
    Step settle_use();
    Step conclude();
    // The token, in the request's pool; a reason where there is none to be had.
    Result<std::string_view, ngx_int_t> find_token();
    Reason judge();
    Reason find_user();

    std::string_view token_;
    Claims claims_;
    bool bearer_ = false;
    bool reused_ = false;
    Seconds now_ = 0;
    Seconds latest_ = 0;  // end of the session
    std::optional<Session> session_;
    std::shared_ptr<const User> user_;
    cache::JournalEntry spent_;  // what using the token revokes
    TokenUse use_;
    RevocationWrite write_;
};

Result<std::string_view, ngx_int_t> Refresh::find_token() {
    const RefreshConf& rules = conf().refresh;
    std::string_view token;
    if (rules.bearer) token = bearer_token(request());
    bearer_ = !token.empty();
    if (token.empty() && rules.body) {
        const auto body = fields();
        if (!body) return fail(body.error());
        const auto text = body->text((*location().fields)[policy::RequestField::kRefreshToken]);
        if (!text) return fail(refuse(Reason::kBodyMalformed));
        if (*text) token = copy(request()->pool, **text);
    }
    if (token.empty() && rules.cookie) token = cookie_token(request(), location());
    if (token.empty()) return fail(refuse(Reason::kNoCredential));
    if (token.size() > *location().max_token_size) return fail(refuse(Reason::kTokTooLong));
    return copy(request()->pool, token);
}

// Whether the token is one that may be used, but for having been used before.
Reason Refresh::judge() {
    const MainConf& main = main_conf(request());
    const Reason unknown = revocations_unknown(*main.zone);
    if (unknown != Reason::kNone) return unknown;
    if (!live().trusted.keys) return Reason::kJwksUnavailable;
    const auto token = jose::parse_token(token_);
    if (!token) return token.error();
    const auto payload = jose::Document::parse(text_of(token->payload));
    if (!payload) return payload.error();
    const jose::Issuer& rules =
        bearer_ ? conf().refresh.access_rules : conf().refresh.refresh_rules;
    auto claims = jose::verify_jwt(*token, *payload, rules, *live().trusted.keys, now_);
    if (!claims) return claims.error();
    claims_ = std::move(*claims);
    if (policy::revoked_by(*main.zone->zone, token_, claims_, now_) == policy::Revoked::kMore) {
        return Reason::kRevoked;
    }
    const auto began = claims_.payload.root().member("auth_time").integer();
    session_ = Session{claims_.session, began.value_or(claims_.issued.value_or(now_))};
    latest_ = session_->began + conf().refresh.session;
    return latest_ > now_ ? find_user() : Reason::kExpPast;
}

Reason Refresh::find_user() {
    const auto& table = conf().users->table;
    if (!table) return Reason::kUsersUnavailable;
    user_ = table->find(claims_.subject);
    if (!user_) return Reason::kUserUnknown;
    return user_->status == users::UserStatus::kDisabled ? Reason::kUserDisabled : Reason::kNone;
}

Endpoint::Step Refresh::begin() {
    now_ = ngx_time();
    const auto token = find_token();
    if (!token) return token.error();
    token_ = *token;
    if (const Reason reason = judge(); reason != Reason::kNone) return refuse(reason);
    // A clock may be ahead of ours, as far as nbf and iat allow.
    spent_ = token_revocation(live(), token_, claims_.payload.root(), now_);
    spent_.issued_until = saturated(std::max(now_, claims_.issued.value_or(0)));
    use_.begin(main_conf(request()), spent_, conf().refresh.reuse, waiter());
    return use_.result() ? settle_use() : wait();
}

Endpoint::Step Refresh::settle_use() {
    const Result<Use, Reason>& use = *use_.result();
    if (!use) return refuse(use.error());
    const MainConf& main = main_conf(request());
    cache::JournalEntry entry = spent_;
    if (*use == Use::kFirst) {
        // Somebody may have revoked it without using it.
        if (main.followed &&
            policy::revoked_by(*main.zone->zone, token_, claims_, now_) != policy::Revoked::kNo) {
            return refuse(Reason::kRevoked);
        }
    } else {
        reused_ = true;
        auto session = session_revocation(live(), claims_.payload.root(), now_);
        if (*use == Use::kAgainSoon || !session) return refuse(Reason::kRefreshReused);
        entry = *std::move(session);
    }
    write_.begin(main, {std::move(entry)}, waiter());
    return write_.result() ? conclude() : wait();
}

Endpoint::Step Refresh::conclude() {
    if (*write_.result() != Reason::kNone) return refuse(*write_.result());
    if (reused_) return refuse(Reason::kRefreshReused);
    // The file may have changed meanwhile.
    if (const Reason reason = find_user(); reason != Reason::kNone) return refuse(reason);
    if (!live().trusted.keys) return refuse(Reason::kJwksUnavailable);
    if (session_->id.empty()) session_->id = jose::random_identifier().value_or("");
    const auto granted = grant_tokens(live(), *user_, now_, session_, latest_);
    if (!granted || !set_token_cookies(request(), location(), *granted)) {
        return refuse(Reason::kInternal);
    }
    return answer(policy::ReplyOutcome::kRefresh,
                  [&](std::string_view field) { return grant_field(*granted, *user_, field); });
}

ngx_int_t refresh_handler(ngx_http_request_t* r) noexcept {
    return serve<Refresh>(r, "POST");
}

bool check_sources(ngx_conf_t* cf, const LocConf& loc, const LiveIssuer& live) {
    const ContentConf& content = loc.content;
    const RefreshConf& rules = content.refresh;
    const std::string where = content.where.text();
    if ((rules.body || rules.cookie) && live.issuer.signing->refresh == 0) {
        return fail_at(cf, where,
                       "\"gate_refresh\" takes refresh tokens of issuer " +
                           quoted(content.issuer_name) +
                           ", which makes none; write refresh=7d beside \"sign\" (" +
                           live.issuer.signing->where + "), or from=bearer here");
    }
    const bool has_cookie = std::ranges::any_of(*loc.cookies, &TokenCookie::refresh);
    if (rules.cookie && !has_cookie) {
        return fail_at(cf, where,
                       "\"gate_refresh\" has from=cookie but no cookie; write \"gate_cookie "
                       "refresh NAME;\"");
    }
    return rules.expired == 0 || rules.bearer ||
           fail_at(cf, where,
                   "\"gate_refresh\" has expired= without from=bearer; a refresh token that has "
                   "expired is never good");
}

bool complete_level(ngx_conf_t* cf, const MainConf& main, LocConf& loc) {
    ContentConf& content = loc.content;
    if (!find_issuing(cf, main, content) || !check_open_endpoint(cf, loc) ||
        !check_revocation_place(cf, main, content.directive, content.where.text())) {
        return false;
    }
    const auto live = std::ranges::find(main.issuers, content.issuer, [](const auto& issuer) {
        return static_cast<const LiveIssuer*>(issuer.get());
    });
    RefreshConf& rules = content.refresh;
    if (!check_sources(cf, loc, **live)) return false;
    if (rules.bearer) {
        (*live)->issuer.signing->tells_login = true;
        (*live)->expired_grace = std::max((*live)->expired_grace, rules.expired);
    }
    rules.refresh_rules = jose::refresh_rules((*live)->issuer);
    rules.access_rules = (*live)->issuer;
    rules.access_rules.leeway_exp += rules.expired;
    rules.access_rules.subject_claim = {"sub"};
    return true;
}

bool set_from(Directive& directive, std::string_view list, RefreshConf& rules) {
    rules.body = false;
    for (const std::string_view source : split(list, ',')) {
        if (source == "body") {
            rules.body = true;
        } else if (source == "cookie") {
            rules.cookie = true;
        } else if (source == "bearer") {
            rules.bearer = true;
        } else {
            return directive.unknown("from=" + std::string(list),
                                     "from= with some of body, cookie and bearer");
        }
    }
    return true;
}

bool set_time(Directive& directive, std::string_view name, std::string_view text, Seconds& time) {
    const auto seconds = parse_duration(text);
    constexpr Seconds kLongest = 3650 * Seconds{86400};
    if (!seconds || *seconds > kLongest) {
        return directive.unknown(std::string(name) + "=" + std::string(text),
                                 std::string(name) + "= with a time such as 10s or 30d");
    }
    time = *seconds;
    return true;
}

}  // namespace

bool set_gate_refresh(Directive& directive, LocConf& loc) {
    if (!set_content(directive, loc, refresh_handler, complete_level)) return false;
    ContentConf& content = loc.content;
    RefreshConf& rules = content.refresh;
    for (const std::string_view value : directive.values()) {
        bool good = true;
        if (const auto issuer = option(value, "issuer")) {
            content.issuer_name = *issuer;
        } else if (const auto users = option(value, "users")) {
            content.users_name = *users;
        } else if (const auto from = option(value, "from")) {
            good = set_from(directive, *from, rules);
        } else if (const auto expired = option(value, "expired")) {
            good = set_time(directive, "expired", *expired, rules.expired);
        } else if (const auto reuse = option(value, "reuse")) {
            good = set_time(directive, "reuse", *reuse, rules.reuse);
        } else if (const auto session = option(value, "session")) {
            good = set_time(directive, "session", *session, rules.session);
        } else {
            good = directive.unknown(value, "issuer=, users=, from=, expired=, reuse= or session=");
        }
        if (!good) return false;
    }
    return !content.issuer_name.empty() || directive.fail("needs issuer= with the name of a block");
}

}  // namespace gate::nginx
