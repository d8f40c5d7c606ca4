// gate_logout: ends the session of the token that the request came with.
#include <algorithm>

#include "base/json_text.h"
#include "nginx/bridge.h"
#include "nginx/content.h"
#include "nginx/endpoint.h"
#include "nginx/revocation_write.h"
#include "nginx/setters.h"
#include "nginx/token_grant.h"

namespace gate::nginx {

namespace {

const LiveIssuer* issuer_of(const LocConf& location, const Identity& identity) {
    const auto& issuers = location.gate->issuers;
    const auto found = std::ranges::find(issuers, identity.source(), [](const LiveIssuer* live) {
        return static_cast<const void*>(&live->issuer);
    });
    return found == issuers.end() ? nullptr : *found;
}

class Logout final : public Endpoint {
public:
    using Endpoint::Endpoint;

private:
    Step go_on() override {
        if (!write_.begun()) return begin();
        return write_.result() ? conclude() : wait();
    }
    void abandon() noexcept override { write_.leave(); }

    Step begin();
    Step conclude();

    RevocationWrite write_;
};

Endpoint::Step Logout::begin() {
    const policy::Principal* principal = record().principal();
    const LiveIssuer* live = issuer_of(location(), record().identity);
    if (principal == nullptr || live == nullptr) return refuse(Reason::kNoCredential);
    const jose::Value claims = principal->claims.root();
    std::vector<cache::JournalEntry> entries{
        token_revocation(*live, record().verified_text, claims, ngx_time())};
    if (auto session = session_revocation(*live, claims, ngx_time())) {
        entries.push_back(*std::move(session));
    }
    write_.begin(main_conf(request()), std::move(entries), waiter());
    return write_.result() ? conclude() : wait();
}

Endpoint::Step Logout::conclude() {
    if (*write_.result() != Reason::kNone) return refuse(*write_.result());
    clear_token_cookies(request(), location());
    const policy::Principal* principal = record().principal();
    return answer(policy::ReplyOutcome::kLogout, [&](std::string_view field) {
        return field == "subject" && principal != nullptr ? json_string(principal->subject)
                                                          : std::string();
    });
}

ngx_int_t logout_handler(ngx_http_request_t* r) noexcept {
    return serve<Logout>(r, "POST");
}

bool complete_level(ngx_conf_t* cf, const MainConf& main, LocConf& loc) {
    const std::string where = loc.content.where.text();
    const GateConf& gate = *loc.gate;
    if (!gate.on || !gate.jwt || gate.key || gate.optional) {
        return fail_at(cf, where,
                       "\"gate_logout\" ends the session of a token, so the location must demand "
                       "one; write \"gate jwt=NAME;\" into it");
    }
    return check_revocation_place(cf, main, "gate_logout", where);
}

}  // namespace

bool set_gate_logout(Directive& directive, LocConf& loc) {
    return set_content(directive, loc, logout_handler, complete_level);
}

}  // namespace gate::nginx
