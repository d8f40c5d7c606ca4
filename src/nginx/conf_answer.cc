#include <iterator>

#include "nginx/setters.h"

namespace gate::nginx {

namespace {

// Reads the status and says what it may be.
bool read_reply_status(const Directive& directive, std::string_view value, ReplyConf& reply) {
    ngx_str_t text = str(value);
    const ngx_int_t status = ngx_atoi(text.data, text.len);
    if (reply.outcome && (status < 200 || status > 299)) {
        return directive.unknown(value, "the status of a success, 200 to 299");
    }
    if (!reply.outcome && (status < 400 || status > 599)) {
        return directive.unknown(value,
                                 "the status of a refusal, 400 to 599, or one of the outcomes " +
                                     policy::outcome_names());
    }
    reply.status = static_cast<int>(status);
    return true;
}

// RFC 9110 sections 15.3.5 and 15.3.6.
bool has_no_body(int status) {
    return status == NGX_HTTP_NO_CONTENT || status == 205;
}

bool read_reply_body(const Directive& directive, std::string_view json, std::string_view of,
                     ReplyConf& reply) {
    auto body = reply.outcome
                    ? policy::parse_reply(*reply.outcome, json)
                    : policy::ReplyTemplate::parse(json, {std::begin(policy::kRefusalFields),
                                                          std::end(policy::kRefusalFields)});
    if (!body) {
        return directive.fail("cannot use the body for " + std::string(of) + ": " + body.error());
    }
    if (has_no_body(reply.status) && json != "{}") {
        return directive.fail("has a body for " + std::to_string(reply.status) +
                              ", an answer without one; write {} or another status");
    }
    reply.body = std::make_shared<const policy::ReplyTemplate>(std::move(*body));
    return true;
}

bool is_same_answer(const ReplyConf& a, const ReplyConf& b) {
    return a.outcome == b.outcome && (a.outcome || a.status == b.status);
}

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
    // [outcome] status 'json' [type=..]
    const auto& values = directive.values();
    ReplyConf reply;
    reply.type = "application/json";
    reply.outcome = policy::find_outcome(values[0]);
    const std::size_t first = reply.outcome ? 1 : 0;
    if (!check_count(directive, first + 2, first + 3)) return false;
    if (!read_reply_status(directive, values[first], reply)) return false;
    std::vector<ReplyConf> replies;
    if (loc.replies.set()) replies = *loc.replies;
    for (const ReplyConf& other : replies) {
        if (is_same_answer(other, reply)) {
            return directive.fail("has a reply for " + std::string(values[0]) + " twice");
        }
    }
    if (!read_reply_body(directive, values[first + 1], values[0], reply)) return false;
    if (values.size() > first + 2) {
        const std::string_view last = values[first + 2];
        const auto type = option(last, "type");
        if (!type || type->find('/') == std::string_view::npos) {
            return directive.unknown(last, "type= with a media type such as type=application/json");
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
