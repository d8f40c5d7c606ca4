// gate_login: a user's name and password for tokens.
#include <algorithm>
#include <limits>

#include "nginx/bridge.h"
#include "nginx/conf_check.h"
#include "nginx/content.h"
#include "nginx/endpoint.h"
#include "nginx/limits.h"
#include "nginx/password_check.h"
#include "nginx/setters.h"
#include "nginx/token_grant.h"

namespace gate::nginx {

namespace {

using policy::RequestField;
using users::User;

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
    const auto granted =
        grant_tokens(live, *user_, ngx_time(), std::nullopt, std::numeric_limits<Seconds>::max());
    if (!granted || !set_token_cookies(request(), location(), *granted)) {
        return refuse(Reason::kInternal);
    }
    return answer(policy::ReplyOutcome::kLogin,
                  [&](std::string_view field) { return grant_field(*granted, *user_, field); });
}

ngx_int_t login_handler(ngx_http_request_t* r) noexcept {
    return serve<Login>(r, "POST");
}

bool complete_level(ngx_conf_t* cf, const MainConf& main, LocConf& loc) {
    ContentConf& content = loc.content;
    return find_issuing(cf, main, content) && check_open_endpoint(cf, loc);
}

}  // namespace

bool set_gate_login(Directive& directive, LocConf& loc) {
    if (!set_content(directive, loc, login_handler, complete_level)) return false;
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

}  // namespace gate::nginx
