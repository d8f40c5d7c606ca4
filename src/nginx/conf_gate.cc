#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "nginx/setters.h"

namespace gate::nginx {

namespace {

constexpr std::size_t kMaxTokenSizeLimit = std::size_t{1} << 20;

// "jwt" or "jwt=a,b": the names go to `names`. False after a message.
bool take_names(Directive& directive, std::string_view kind, std::string_view list, bool& on,
                std::vector<std::string>& names) {
    if (on)
        return directive.fail("has " + quoted(kind) +
                              " twice; join the names: " + std::string(kind) + "=a,b");
    on = true;
    if (list.data() == nullptr) return true;
    for (std::string_view name : split(list, ',')) {
        if (name.empty()) {
            return directive.fail("has an empty name in \"" + std::string(kind) + '=' +
                                  std::string(list) + '"');
        }
        if (std::find(names.begin(), names.end(), name) != names.end()) {
            return directive.fail("names " + quoted(name) + " twice");
        }
        names.emplace_back(name);
    }
    return true;
}

bool take_gate_parameter(Directive& directive, std::string_view value, GateConf& gate) {
    if (value == "jwt") return take_names(directive, value, {}, gate.jwt, gate.issuer_names);
    if (value == "key") return take_names(directive, value, {}, gate.key, gate.store_names);
    if (const auto names = option(value, "jwt")) {
        return take_names(directive, "jwt", *names, gate.jwt, gate.issuer_names);
    }
    if (const auto names = option(value, "key")) {
        return take_names(directive, "key", *names, gate.key, gate.store_names);
    }
    if (value == "basic" || option(value, "basic")) return directive.unsupported(value);
    if (value == "optional") {
        gate.optional = true;
        return true;
    }
    if (const auto word = option(value, "challenge")) {
        gate.challenge = *word == "on";
        return *word == "on" || *word == "off" ||
               directive.unknown(value, "challenge=on or challenge=off");
    }
    if (const auto realm = option(value, "realm")) {
        if (realm->empty()) return directive.fail("has an empty realm; leave realm= out");
        gate.realm = pool_new<ngx_http_complex_value_t>(directive.cf()->pool);
        return directive.compile(*realm, *gate.realm);
    }
    if (value == "off")
        return directive.fail("has \"off\" beside other values; \"off\" stands alone");
    return directive.unknown(
        value, "jwt[=issuer,..], key[=store,..], optional, realm=, challenge=on|off, or off alone");
}

bool take_scheme(Directive& directive, std::string_view scheme, SourceConf& source) {
    if (source.type != policy::SourceType::kHeader) {
        return directive.fail("has scheme= beside " + std::string(name_of(source.type)) +
                              "; only a header has a scheme");
    }
    if (scheme == "off") {
        source.scheme.clear();
        return true;
    }
    if (!is_token(scheme)) return directive.unknown(scheme, "the name of a scheme, or off");
    source.scheme = scheme;
    return true;
}

bool take_origin(Directive& directive, std::string_view origin, SourceConf& source) {
    if (source.type != policy::SourceType::kCookie) {
        return directive.fail("has origin= beside " + std::string(name_of(source.type)) +
                              "; only a cookie is sent without the page's doing");
    }
    if (origin == "same" || origin == "any") {
        source.origin = origin == "same" ? CookieOrigin::kSame : CookieOrigin::kAny;
        return true;
    }
    if (!origin.starts_with('$')) return directive.unknown(origin, "same, any or a variable");
    source.origin = CookieOrigin::kVariable;
    source.variable = directive.variable(origin);
    return source.variable >= 0;
}

bool take_header(Directive& directive, std::string_view name, SourceConf& source) {
    if (!is_token(name))
        return directive.fail("has " + quoted(name) + ", which no header can be called");
    if (const char* why = forbidden_header(name)) {
        return directive.fail("cannot take a credential from the header " + quoted(name) + ": " +
                              why);
    }
    source.type = policy::SourceType::kHeader;
    source.name = ascii_lower(name);
    if (source.name == "authorization") source.scheme = "Bearer";
    return true;
}

// Letters that stand for themselves in a query string and in a cookie name.
bool is_plain_name(std::string_view name) {
    return is_token(name) && name.find('%') == std::string_view::npos &&
           name.find('&') == std::string_view::npos && name.find('+') == std::string_view::npos;
}

bool take_place(Directive& directive, std::string_view value, SourceConf& source) {
    if (const auto name = option(value, "header")) return take_header(directive, *name, source);
    const auto cookie = option(value, "cookie");
    const auto argument = option(value, "arg");
    if (cookie || argument) {
        source.type = cookie ? policy::SourceType::kCookie : policy::SourceType::kArgument;
        source.name = cookie ? *cookie : *argument;
        if (cookie ? is_token(source.name) : is_plain_name(source.name)) return true;
        return directive.fail("has " + quoted(value) + ": no plain name");
    }
    if (value.starts_with('$')) {
        source.type = policy::SourceType::kVariable;
        source.name = value.substr(1);
        source.variable = directive.variable(value);
        return source.variable >= 0;
    }
    if (value == "jwt" || value == "key") {
        return directive.fail("takes one kind a line; write a second line for " + quoted(value));
    }
    return directive.unknown(value, "header=, cookie=, arg= or a variable");
}

bool add_source(Directive& directive, Setting<std::vector<SourceConf>>& setting,
                SourceConf source) {
    std::vector<SourceConf> sources;
    if (setting.set()) sources = *setting;
    for (const SourceConf& other : sources) {
        if (other.type == source.type && other.name == source.name &&
            other.scheme == source.scheme) {
            return directive.fail("has the source " + quoted(directive.values()[1]) +
                                  " twice for " + std::string(directive.values()[0]));
        }
    }
    sources.push_back(std::move(source));
    setting = std::move(sources);
    return true;
}

}  // namespace

bool set_gate(Directive& directive, LocConf& loc) {
    if (loc.gate.set()) return directive.duplicate();
    GateConf gate;
    gate.where = directive.where();
    const auto& values = directive.values();
    if (values.size() == 1 && values[0] == "off") {
        loc.gate = std::move(gate);
        return true;
    }
    gate.on = true;
    for (std::string_view value : values) {
        if (!take_gate_parameter(directive, value, gate)) return false;
    }
    if (!gate.jwt && !gate.key) {
        return directive.fail("accepts nothing; name jwt, key or both, or write \"gate off\"");
    }
    loc.gate = std::move(gate);
    return true;
}

bool set_gate_source(Directive& directive, LocConf& loc) {
    const auto& values = directive.values();
    if (values[0] == "basic") return directive.unsupported("basic");
    if (values[0] != "jwt" && values[0] != "key") return directive.unknown(values[0], "jwt or key");
    SourceConf source;
    source.where = directive.where();
    if (!take_place(directive, values[1], source)) return false;
    for (std::string_view value : values.size() > 2 ? std::vector(values.begin() + 2, values.end())
                                                    : std::vector<std::string_view>()) {
        if (const auto scheme = option(value, "scheme")) {
            if (!take_scheme(directive, *scheme, source)) return false;
        } else if (const auto origin = option(value, "origin")) {
            if (!take_origin(directive, *origin, source)) return false;
        } else {
            return directive.unknown(value, "scheme= beside a header, origin= beside a cookie");
        }
    }
    auto& setting = values[0] == "jwt" ? loc.jwt_sources : loc.key_sources;
    return add_source(directive, setting, std::move(source));
}

bool set_gate_source_conflict(Directive& directive, LocConf& loc) {
    return choose(
        directive, loc.conflict,
        {{"refuse", policy::ConflictRule::kRefuse}, {"first", policy::ConflictRule::kFirst}});
}

bool set_gate_strip(Directive& directive, LocConf& loc) {
    return choose(directive, loc.strip, {{"on", true}, {"off", false}});
}

bool set_gate_preflight(Directive& directive, LocConf& loc) {
    return choose(
        directive, loc.preflight,
        {{"answer", Preflight::kAnswer}, {"pass", Preflight::kPass}, {"check", Preflight::kCheck}});
}

bool set_gate_dot_segments(Directive& directive, SrvConf& srv) {
    return choose(directive, srv.dot_segments,
                  {{"refuse", DotSegments::kRefuse}, {"pass", DotSegments::kPass}});
}

bool set_gate_max_token_size(Directive& directive, LocConf& loc) {
    if (loc.max_token_size.set()) return directive.duplicate();
    ngx_str_t text = str(directive.values()[0]);
    const ssize_t size = ngx_parse_size(&text);
    if (size <= 0 || static_cast<std::size_t>(size) > kMaxTokenSizeLimit) {
        return directive.unknown(directive.values()[0], "a size from 1 to 1m, such as 8k");
    }
    loc.max_token_size = static_cast<std::size_t>(size);
    return true;
}

const char* forbidden_header(std::string_view name) {
    struct Entry {
        std::string_view name;
        const char* why;
    };
    static constexpr const char* kFraming =
        "nginx needs it for the connection or the message itself";
    static constexpr std::array<Entry, 10> kEntries{{
        {"host", "nginx chooses the server by it"},
        {"connection", kFraming},
        {"content-length", kFraming},
        {"transfer-encoding", kFraming},
        {"te", kFraming},
        {"upgrade", kFraming},
        {"expect", kFraming},
        {"keep-alive", kFraming},
        {"trailer", kFraming},
        {"cookie", "it holds other cookies too; a cookie has its own form"},
    }};
    const std::string normal = normal_header_name(name);
    for (const Entry& entry : kEntries) {
        if (entry.name == normal) return entry.why;
    }
    return nullptr;
}

}  // namespace gate::nginx
