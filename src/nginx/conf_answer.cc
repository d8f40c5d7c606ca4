#include <algorithm>
#include <array>
#include <iterator>

#include "nginx/setters.h"

namespace gate::nginx {

namespace {

constexpr std::array<std::string_view, 11> kLaterOutcomes{"login",      "refresh", "logout", "me",
                                                          "introspect", "create",  "list",   "get",
                                                          "rotate",     "suspend", "revoke"};

}  // namespace

bool set_gate_error_format(Directive& directive, LocConf& loc) {
    return choose(directive, loc.error_format,
                  {{"problem", ErrorFormat::kProblem},
                   {"json", ErrorFormat::kJson},
                   {"text", ErrorFormat::kText},
                   {"auto", ErrorFormat::kAuto},
                   {"off", ErrorFormat::kOff}});
}

bool set_gate_reply(Directive& directive, LocConf& loc) {
    const auto& values = directive.values();
    if (std::find(kLaterOutcomes.begin(), kLaterOutcomes.end(), values[0]) !=
        kLaterOutcomes.end()) {
        return directive.unsupported(values[0]);
    }
    ngx_str_t text = str(values[0]);
    const ngx_int_t status = ngx_atoi(text.data, text.len);
    if (status < 400 || status > 599) {
        return directive.unknown(values[0], "the status of a refusal, 400 to 599");
    }
    std::vector<ReplyConf> replies;
    if (loc.replies.set()) replies = *loc.replies;
    for (const ReplyConf& other : replies) {
        if (other.status == status) {
            return directive.fail("has a reply for " + std::string(values[0]) + " twice");
        }
    }
    ReplyConf reply;
    reply.status = static_cast<int>(status);
    reply.type = "application/json";
    auto body = policy::ReplyTemplate::parse(
        values[1], {std::begin(policy::kRefusalFields), std::end(policy::kRefusalFields)});
    if (!body) {
        return directive.fail("cannot use the body for " + std::string(values[0]) + ": " +
                              body.error());
    }
    reply.body = std::make_shared<const policy::ReplyTemplate>(std::move(*body));
    if (values.size() > 2) {
        const auto type = option(values[2], "type");
        if (!type || type->find('/') == std::string_view::npos) {
            return directive.unknown(values[2],
                                     "type= with a media type such as type=application/json");
        }
        reply.type = *type;
    }
    replies.push_back(std::move(reply));
    loc.replies = std::move(replies);
    return true;
}

bool set_gate_login_url(Directive& directive, LocConf& loc) {
    if (loc.login.set()) return directive.duplicate();
    const auto& values = directive.values();
    LoginConf login;
    if (values.size() == 1 && values[0] == "off") {
        loc.login = std::move(login);
        return true;
    }
    login.on = true;
    const std::string_view url = values[0];
    if (!url.starts_with('/') && !url.starts_with("https://") && !url.starts_with("http://") &&
        !url.starts_with('$')) {
        return directive.unknown(url, "a path, an http:// or https:// URL, a variable, or off");
    }
    if (url.starts_with("//")) {
        return directive.fail("has " + quoted(url) +
                              ", which leads to another host; write its scheme too");
    }
    if (values.size() > 1) {
        const auto argument = option(values[1], "return_arg");
        if (!argument || !is_token(*argument)) {
            return directive.unknown(values[1], "return_arg= with the name of an argument");
        }
        login.return_arg = *argument;
    }
    if (!directive.compile(url, login.url)) return false;
    loc.login = std::move(login);
    return true;
}

bool set_gate_dry_run(Directive& directive, LocConf& loc) {
    return choose(directive, loc.dry_run, {{"on", true}, {"off", false}});
}

bool set_gate_log_level(Directive& directive, LocConf& loc) {
    return choose<ngx_uint_t>(directive, loc.log_level,
                              {{"info", NGX_LOG_INFO},
                               {"notice", NGX_LOG_NOTICE},
                               {"warn", NGX_LOG_WARN},
                               {"error", NGX_LOG_ERR}});
}

}  // namespace gate::nginx
