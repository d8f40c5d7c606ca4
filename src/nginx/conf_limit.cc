#include <charconv>

#include "nginx/conf_check.h"
#include "nginx/setters.h"

namespace gate::nginx {

namespace {

constexpr std::uint64_t kMaxBurst = 1'000'000;
constexpr std::string_view kRateForms =
    "a rate such as 10r/s, 90r/m, 1000r/h or 5r/d (at most 1000000r/s), or a $variable";

bool set_rate(Directive& directive, std::string_view text, LimitConf& limit) {
    if (!limit.rate_text.empty()) return directive.fail("has rate= twice");
    limit.rate_text = text;
    if (text.starts_with('$')) {
        limit.variable_rate.emplace();
        limit.rate.burst = 0;
        return directive.compile(text, *limit.variable_rate);
    }
    const auto rate = rate_of(text);
    if (!rate) return directive.unknown("rate=" + std::string(text), kRateForms);
    limit.rate = *rate;
    return true;
}

bool set_burst(Directive& directive, std::string_view text, std::uint64_t& burst) {
    if (burst != 0) return directive.fail("has burst= twice");
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), burst);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    if (whole && burst >= 1 && burst <= kMaxBurst) return true;
    return directive.unknown("burst=" + std::string(text), "burst=1 to burst=1000000");
}

bool add_variable_key(Directive& directive, std::string_view text, LimitConf& limit) {
    LimitKey key;
    key.kind = LimitKey::Kind::kValue;
    if (!directive.compile(text, key.value)) return false;
    limit.keys.push_back(std::move(key));
    return true;
}

bool set_keys(Directive& directive, std::string_view text, bool failures, LimitConf& limit) {
    if (!limit.keys.empty()) return directive.fail("has key= twice");
    if (!failures) {
        if (text.find('$') != std::string_view::npos) {
            return add_variable_key(directive, text, limit);
        }
        return directive.unknown("key=" + std::string(text),
                                 "key= with a $variable; without key= each client is counted");
    }
    for (const std::string_view name : split(text, ',')) {
        if (name == "address") {
            limit.keys.emplace_back().kind = LimitKey::Kind::kAddress;
        } else if (name == "username") {
            limit.keys.emplace_back().kind = LimitKey::Kind::kUsername;
        } else if (name.find('$') == std::string_view::npos) {
            return directive.unknown("key=" + std::string(name),
                                     "address, username or a $variable");
        } else if (!add_variable_key(directive, name, limit)) {
            return false;
        }
    }
    return true;
}

bool parse_line(Directive& directive, bool failures, LimitConf& limit) {
    std::uint64_t burst = 0;
    for (const std::string_view value : directive.values()) {
        if (const auto rate = option(value, "rate")) {
            if (!set_rate(directive, *rate, limit)) return false;
        } else if (const auto count = option(value, "burst")) {
            if (!set_burst(directive, *count, burst)) return false;
        } else if (const auto key = option(value, "key")) {
            if (!set_keys(directive, *key, failures, limit)) return false;
        } else {
            return directive.unknown(value, "rate=, burst= and key=, or off alone");
        }
    }
    if (limit.rate_text.empty()) return directive.fail("needs rate=, such as rate=10r/s");
    if (burst != 0) limit.rate.burst = burst;
    if (limit.keys.empty()) {
        limit.keys.emplace_back().kind =
            failures ? LimitKey::Kind::kAddress : LimitKey::Kind::kClient;
    }
    return true;
}

bool set_limits(Directive& directive, LocConf& loc, Setting<Limits>& setting, bool failures) {
    const auto& values = directive.values();
    const bool off = values.size() == 1 && values[0] == "off";
    if (setting.set() && (off || setting->empty())) {
        return directive.fail("says off beside another such line of the same level");
    }
    Limits lines = setting.set() ? *setting : Limits();
    if (!off) {
        auto limit = std::make_shared<LimitConf>();
        limit->directive = directive.name();
        limit->where = directive.where().text();
        limit->level = &loc;
        if (!parse_line(directive, failures, *limit)) return false;
        lines.push_back(std::move(limit));
    }
    setting = std::move(lines);
    return true;
}

void append_part(std::string& text, std::string_view part) {
    text.append(part).push_back('\0');
}

// The lines that this level wrote: what they are called by.
void name_buckets(const Limits& lines, const LocConf& level, std::string_view server) {
    for (std::size_t ordinal = 0; ordinal < lines.size(); ++ordinal) {
        LimitConf& limit = *lines[ordinal];
        if (limit.level != &level) continue;
        std::string text;
        append_part(text, limit.directive);
        append_part(text, server);
        append_part(text, level.name);
        append_part(text, std::to_string(ordinal));
        append_part(text, limit.rate_text);
        limit.bucket = siphash128(SipKey{}, bytes_of(text));
    }
}

bool check_level(ngx_conf_t* cf, const MainConf& main, const LocConf& loc, const Limits& lines) {
    if (lines.empty()) return true;
    const LimitConf& first = *lines.front();
    const bool gated = loc.gate.set() && loc.gate->on;
    // A login's attempts are counted, whoever may try.
    const bool counts = gated || (&lines == &*loc.fail_limits && !loc.content.users_name.empty());
    if (!counts) {
        return fail_at(cf, first.where,
                       quoted(first.directive) +
                           " stands where no gate is in force, so nothing would be counted; write "
                           "\"gate jwt;\" or \"gate key;\" there");
    }
    if (main.zone) return true;
    return fail_at(cf, first.where,
                   quoted(first.directive) +
                       " needs shared memory to count in; write \"gate_zone gate:64m;\" at http "
                       "level");
}

bool complete_level(ngx_conf_t* cf, const MainConf& main, const LocConf& loc,
                    std::string_view server) {
    for (const Setting<Limits>* setting : {&loc.limits, &loc.fail_limits}) {
        if (!setting->set()) continue;
        name_buckets(**setting, loc, server);
        if (!check_level(cf, main, loc, **setting)) return false;
    }
    return true;
}

}  // namespace

std::optional<cache::Rate> rate_of(std::string_view text) noexcept {
    const auto interval = cache::parse_rate(text);
    if (!interval) return std::nullopt;
    cache::Rate rate{.interval = *interval, .burst = 1};
    std::from_chars(text.data(), text.data() + text.size(), rate.burst);
    return rate;
}

bool set_gate_limit(Directive& directive, LocConf& loc) {
    return set_limits(directive, loc, loc.limits, false);
}

bool set_gate_fail_limit(Directive& directive, LocConf& loc) {
    return set_limits(directive, loc, loc.fail_limits, true);
}

void merge_limits(const LocConf& parent, LocConf& loc) {
    // A level that closes its gate drops what it would inherit.
    const bool off = loc.gate.set() && !loc.gate->on;
    loc.limits.inherit(off ? Setting<Limits>() : parent.limits, {});
    loc.fail_limits.inherit(off ? Setting<Limits>() : parent.fail_limits, {});
}

bool complete_limits(ngx_conf_t* cf, const MainConf& main, const LocConf& http) {
    if (!complete_level(cf, main, http, {})) return false;
    for (const Level& level : main.levels) {
        if (!complete_level(cf, main, *level.conf, view(level.server->server_name))) return false;
    }
    return true;
}

}  // namespace gate::nginx
