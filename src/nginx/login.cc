#include "nginx/login.h"

#include <algorithm>
#include <limits>

#include "base/json_text.h"
#include "jose/issue.h"
#include "nginx/bridge.h"
#include "nginx/conf_check.h"
#include "nginx/content.h"
#include "nginx/endpoint.h"
#include "nginx/limits.h"
#include "nginx/password_check.h"
#include "nginx/setters.h"
#include "policy/user_claims.h"

namespace gate::nginx {

namespace {

using policy::RequestField;
using users::User;

// What a login, or a refresh, hands out.
struct Tokens {
    jose::NewToken access;
    std::optional<jose::NewToken> refresh;
    std::string session;
    Seconds now;
};

std::optional<Tokens> issue(const LiveIssuer& live, const User& user, Seconds now) {
    const jose::KeySet& keys = *live.trusted.keys;
    const bool refreshes = live.issuer.signing->refresh != 0;
    jose::Grant grant{.subject = user.name};
    if (refreshes) {
        auto session = jose::random_identifier();
        if (!session) return std::nullopt;
        grant.session = *std::move(session);
    }
    grant.claims = live.claims ? live.claims->render([&user](std::string_view field) {
        return policy::user_field(user, field);
    })
                               : policy::usual_claims(user, live.issuer);
    auto access = jose::issue_access_token(keys, live.issuer, grant, now);
    if (!access) return std::nullopt;
    Tokens tokens{*std::move(access), std::nullopt, grant.session, now};
    if (refreshes) {
        tokens.refresh = jose::issue_refresh_token(keys, live.issuer, grant, now,
                                                   std::numeric_limits<Seconds>::max());
        if (!tokens.refresh) return std::nullopt;
    }
    return tokens;
}

std::string token_field(const Tokens& tokens, const User& user, std::string_view field) {
    const auto& refresh = tokens.refresh;
    if (field == "access_token") return json_string(tokens.access.text);
    if (field == "token_type") return json_string("Bearer");
    if (field == "expires_in") return policy::reply_number(tokens.access.expires - tokens.now);
    if (policy::instant_name(field) == "expires_at") {
        return policy::reply_instant(field, tokens.access.expires);
    }
    if (field == "scope") return policy::reply_words(user.scopes);
    if (field == "scopes") return policy::reply_list(user.scopes);
    if (!refresh) return policy::user_field(user, field);
    if (field == "refresh_token") return json_string(refresh->text);
    if (field == "refresh_expires_in") return policy::reply_number(refresh->expires - tokens.now);
    if (policy::instant_name(field) == "refresh_expires_at") {
        return policy::reply_instant(field, refresh->expires);
    }
    if (field == "sid") return json_string(tokens.session);
    return policy::user_field(user, field);
}

class Login final : public Endpoint {
public:
    using Endpoint::Endpoint;

private:
    Step go_on() override {
        if (!check_.begun()) return begin();
        return check_.done() ? conclude() : wait();
    }
    void abandon() noexcept override { check_.leave(); }

    Step begin();
    Step conclude();
    // Why the user does not get in, now that the password is known to be right or wrong.
    Reason judge();

    PasswordCheck check_;
    std::shared_ptr<const User> user_;  // nullptr: there is none of that name
};

Endpoint::Step Login::begin() {
    const LiveUsers& users = *location().content.users;
    if (!users.table) return refuse(Reason::kUsersUnavailable);
    const auto body = fields();
    if (!body) return body.error();
    const policy::FieldNames& names = *location().fields;
    const auto username = body->text(names[RequestField::kUsername]);
    const auto password = body->text(names[RequestField::kPassword]);
    if (!username || !*username || !password || !*password) return refuse(Reason::kBodyMalformed);
    record().username = copy(request()->pool, **username);
    if (failures_exhausted(request(), record(), location())) {
        return refuse(Reason::kTooManyFailures);
    }
    user_ = users.table->find(record().username);
    const std::string_view hash =
        user_ ? std::string_view(user_->password) : users.table->decoy(record().username);
    if (!check_.begin(users, hash, **password, waiter())) return refuse(Reason::kHashQueueFull);
    return wait();
}

Reason Login::judge() {
    if (check_.result() == Reason::kInternal) return Reason::kInternal;
    if (!user_) return Reason::kUserUnknown;
    const auto& table = location().content.users->table;
    if (!table) return Reason::kUsersUnavailable;
    // The file may have changed meanwhile.
    const auto now = table->find(user_->name);
    if (!now) return Reason::kUserUnknown;
    if (now->status == users::UserStatus::kDisabled) return Reason::kUserDisabled;
    if (now->password != user_->password) return Reason::kPasswordWrong;
    user_ = now;
    return check_.result();
}

Endpoint::Step Login::conclude() {
    if (const Reason reason = judge(); reason != Reason::kNone) return refuse(reason);
    const LiveIssuer& live = *location().content.issuer;
    if (!live.trusted.keys) return refuse(Reason::kJwksUnavailable);
    const auto tokens = issue(live, *user_, ngx_time());
    if (!tokens) return refuse(Reason::kInternal);
    return answer(policy::ReplyOutcome::kLogin,
                  [&](std::string_view field) { return token_field(*tokens, *user_, field); });
}

ngx_int_t login_handler(ngx_http_request_t* r) noexcept {
    return serve_endpoint(r, "POST", [](ngx_http_request_t* request, Record& record) -> Endpoint* {
        return pool_new<Login>(request->pool, request, record);
    });
}

bool complete_level(ngx_conf_t* cf, const MainConf& main, const LocConf& loc,
                    ContentConf& content) {
    content.issuer = find_issuer(cf, main, content);
    if (content.issuer == nullptr) return false;
    if (!content.issuer->issuer.signing) {
        return fail_at(cf, content.where.text(),
                       "\"gate_login\" names issuer " + quoted(content.issuer_name) +
                           ", which makes no tokens; write \"sign access=1h;\" into its block (" +
                           content.issuer->where + ")");
    }
    std::vector<std::string> names;
    for (const auto& users : main.users) {
        names.push_back(users->name);
        if (users->name == content.users_name) content.users = users.get();
    }
    if (content.users == nullptr) {
        return fail_at(cf, content.where.text(),
                       "\"gate_login\" names unknown users " + quoted(content.users_name) +
                           "; declared gate_users: " + listed(names));
    }
    return check_open_endpoint(cf, loc);
}

}  // namespace

bool set_gate_login(Directive& directive, LocConf& loc) {
    if (!set_content(directive, loc, login_handler)) return false;
    for (const std::string_view value : directive.values()) {
        if (const auto issuer = option(value, "issuer")) {
            loc.content.issuer_name = *issuer;
        } else if (const auto users = option(value, "users")) {
            loc.content.users_name = *users;
        } else {
            return directive.unknown(value, "issuer= and users= with the names of blocks");
        }
    }
    if (!loc.content.issuer_name.empty() && !loc.content.users_name.empty()) return true;
    return directive.fail("needs both issuer= and users=");
}

bool complete_login(ngx_conf_t* cf, const MainConf& main) {
    return std::ranges::all_of(main.levels, [&](const Level& level) {
        ContentConf& content = level.conf->content;
        return content.handler != login_handler || complete_level(cf, main, *level.conf, content);
    });
}

}  // namespace gate::nginx
