// gate_revocation_lookup redis=name COMMAND key [member] [valid=1s].
#include <algorithm>
#include <array>

#include "nginx/conf_check.h"
#include "nginx/setters.h"

namespace gate::nginx {

namespace {

struct Form {
    std::string_view command;
    std::size_t arguments;
    std::string_view expected;
};
constexpr std::array<Form, 3> kForms{{{"EXISTS", 1, "a key"},
                                      {"SISMEMBER", 2, "a key and a member"},
                                      {"HEXISTS", 2, "a key and a field"}}};

bool set_valid(const Directive& directive, std::string_view text, RevocationLookupConf& lookup) {
    ngx_str_t time = str(text);
    const ngx_int_t parsed = ngx_parse_time(&time, 0);
    if (parsed == NGX_ERROR || parsed > 60'000) {
        return directive.fail("has valid=" + std::string(text) + "; expected 0 to 60s");
    }
    lookup.valid = static_cast<ngx_msec_t>(parsed);
    return true;
}

bool parse_line(const Directive& directive, RevocationLookupConf& lookup) {
    std::vector<std::string_view> words;
    for (const std::string_view value : directive.values()) {
        if (const auto name = option(value, "redis"); name && words.empty()) {
            lookup.redis_name = *name;
        } else if (const auto valid = option(value, "valid")) {
            if (!set_valid(directive, *valid, lookup)) return false;
        } else {
            words.push_back(value);
        }
    }
    if (lookup.redis_name.empty()) return directive.fail("needs redis=NAME first");
    const auto form = std::ranges::find(kForms, words.empty() ? "" : words.front(), &Form::command);
    if (form == kForms.end()) {
        return directive.unknown(words.empty() ? "" : words.front(),
                                 "EXISTS, SISMEMBER or HEXISTS");
    }
    if (words.size() != form->arguments + 1) {
        return directive.fail("has " + std::to_string(words.size() - 1) + " arguments for " +
                              std::string(form->command) + "; expected " +
                              std::string(form->expected));
    }
    lookup.command = form->command;
    for (std::size_t i = 1; i < words.size(); ++i) {
        Template argument;
        if (const char* problem = argument.compile(directive.cf(), words[i])) {
            return directive.fail("has the value " + quoted(words[i]) + ", which " + problem);
        }
        lookup.arguments.push_back(std::move(argument));
    }
    return true;
}

bool complete_level(ngx_conf_t* cf, const MainConf& main, const LocConf& loc) {
    if (!loc.lookups.set()) return true;
    for (const auto& lookup : *loc.lookups) {
        if (!loc.gate.set() || !loc.gate->on) {
            return fail_at(cf, lookup->where.text(),
                           "\"gate_revocation_lookup\" stands where no gate is in force; write "
                           "\"gate jwt;\" or \"gate key;\" there");
        }
        RedisConf* const redis = find_redis(cf, main, lookup->where.text(),
                                            "\"gate_revocation_lookup\"", lookup->redis_name);
        if (redis == nullptr) return false;
        redis->looked_up = true;
        lookup->redis = redis;
    }
    return true;
}

}  // namespace

bool set_gate_revocation_lookup(Directive& directive, LocConf& loc) {
    const auto& values = directive.values();
    const bool off = values.size() == 1 && values[0] == "off";
    if (loc.lookups.set() && (off || loc.lookups->empty())) {
        return directive.fail("says off beside another such line of the same level");
    }
    RevocationLookups lines = loc.lookups.set() ? *loc.lookups : RevocationLookups();
    if (!off) {
        auto lookup = std::make_shared<RevocationLookupConf>();
        lookup->where = directive.where();
        if (!parse_line(directive, *lookup)) return false;
        lines.push_back(std::move(lookup));
    }
    loc.lookups = std::move(lines);
    return true;
}

void merge_lookups(const LocConf& parent, LocConf& loc) {
    const bool off = loc.gate.set() && !loc.gate->on;
    loc.lookups.inherit(off ? Setting<RevocationLookups>() : parent.lookups, {});
}

bool complete_lookups(ngx_conf_t* cf, const MainConf& main, const LocConf& http) {
    return complete_level(cf, main, http) &&
           std::ranges::all_of(main.levels, [&](const Level& level) {
               return complete_level(cf, main, *level.conf);
           });
}

}  // namespace gate::nginx
