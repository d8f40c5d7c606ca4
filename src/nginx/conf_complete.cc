#include <algorithm>
#include <array>

#include "nginx/conf_check.h"
#include "nginx/conf_text.h"
#include "nginx/content.h"
#include "nginx/dump.h"
#include "nginx/health.h"
#include "nginx/metrics.h"
#include "nginx/setters.h"

namespace gate::nginx {

namespace {

std::vector<std::string> store_names(const MainConf& main) {
    std::vector<std::string> names;
    for (const auto& live : main.stores) names.push_back(live->store.name);
    return names;
}

bool find_roles(ngx_conf_t* cf, const MainConf& main, const std::string& block,
                const std::string& where, const std::string& name, const LiveRoles*& roles) {
    if (name.empty()) return true;
    std::vector<std::string> names;
    for (const auto& live : main.roles) {
        if (live->name == name) roles = live.get();
        names.push_back(live->name);
    }
    return roles != nullptr || fail_at(cf, where,
                                       block + " names unknown roles " + quoted(name) +
                                           "; declared gate_roles: " + listed(names));
}

bool resolve_roles(ngx_conf_t* cf, MainConf& main) {
    for (const auto& live : main.issuers) {
        const std::string block = "gate_issuer " + quoted(live->issuer.name);
        if (!find_roles(cf, main, block, live->where, live->roles_name, live->roles)) return false;
    }
    for (const auto& live : main.stores) {
        const std::string block = "gate_keys " + quoted(live->store.name);
        if (!find_roles(cf, main, block, live->where, live->roles_name, live->roles)) return false;
    }
    return true;
}

bool resolve_redis(ngx_conf_t* cf, MainConf& main) {
    return std::ranges::all_of(main.stores, [&](const auto& live) {
        if (live->redis_name.empty()) return true;
        live->redis = find_redis(cf, main, live->where, "gate_keys " + quoted(live->store.name),
                                 live->redis_name);
        return live->redis != nullptr;
    });
}

template <class Live>
bool load_block(ngx_conf_t* cf, const std::string& block, Live& live) {
    std::vector<std::string> notes;
    if (const auto loaded = load(live, notes); !loaded) {
        const LoadFailure& failure = loaded.error();
        if (!failure.where.empty()) return fail_at(cf, failure.where, block + ": " + failure.text);
        const SourceFile& file = live.files[failure.file];
        return fail_at(cf, file.where,
                       block + ": " + quoted(file.path) + " cannot be used: " + failure.text);
    }
    for (const std::string& note : notes) warn_at(cf, live.where, block + " " + note);
    return true;
}

// Role maps first: issuers and stores take theirs over by value.
bool load_files(ngx_conf_t* cf, MainConf& main) {
    for (const auto& live : main.roles) {
        if (!load_block(cf, "gate_roles " + quoted(live->name), *live)) return false;
    }
    for (const auto& live : main.issuers) {
        if (!load_block(cf, "gate_issuer " + quoted(live->issuer.name), *live)) return false;
        if (live->roles != nullptr) live->trusted.roles = live->roles->map;
    }
    for (const auto& live : main.users) {
        if (!load_block(cf, "gate_users " + quoted(live->name), *live)) return false;
    }
    for (const auto& live : main.stores) {
        if (!load_block(cf, "gate_keys " + quoted(live->store.name), *live)) return false;
        if (live->roles != nullptr) live->store.roles = live->roles->map;
    }
    return true;
}

// What a gate names of one kind of block. `wanted` empty: the only one declared.
template <class Live>
bool resolve_names(ngx_conf_t* cf, const GateConf& gate, const std::vector<std::string>& wanted,
                   const std::vector<std::unique_ptr<Live>>& declared,
                   const std::vector<std::string>& names, std::string_view kind,
                   std::vector<Live*>& found) {
    const bool jwt = kind == "jwt";
    const std::string block = jwt ? "gate_issuer" : "gate_keys";
    const std::string what = jwt ? "issuer" : "key store";
    if (wanted.empty() && declared.size() != 1) {
        const std::string parameter = quoted(kind);
        return fail_at(cf, gate.where.text(),
                       declared.empty()
                           ? "\"gate\" asks for " + parameter + " but no " + block +
                                 " block is declared; write one"
                           : "\"gate\" has " + parameter + " without a name, and several " + what +
                                 "s are declared: " + listed(names) + "; write " +
                                 std::string(kind) + "=" + names[0] + " or another");
    }
    if (wanted.empty()) found.push_back(declared[0].get());
    for (const std::string& name : wanted) {
        const auto at = std::find(names.begin(), names.end(), name);
        if (at == names.end()) {
            return fail_at(cf, gate.where.text(),
                           "\"gate\" names unknown " + what + " " + quoted(name) + "; declared " +
                               what + "s: " + listed(names));
        }
        found.push_back(declared[static_cast<std::size_t>(at - names.begin())].get());
    }
    return true;
}

bool same_place(const SourceConf& a, const SourceConf& b) {
    return a.type == b.type && a.name == b.name && a.scheme == b.scheme && a.variable == b.variable;
}

bool is_known_header(ngx_conf_t* cf, std::string_view lowcase) {
    auto* core = static_cast<ngx_http_core_main_conf_t*>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module));
    ngx_str_t name = str(lowcase);
    const ngx_uint_t hash = ngx_hash_key(name.data, name.len);
    return ngx_hash_find(&core->headers_in_hash, hash, name.data, name.len) != nullptr;
}

// The location's sources in order; one that serves tokens and keys becomes one place.
void collect_places(ngx_conf_t* cf, LocConf& loc) {
    loc.places.clear();
    const auto take = [&](const SourceConf& source, bool SourcePlace::*kind) {
        auto place = std::ranges::find_if(
            loc.places, [&](const SourcePlace& known) { return same_place(known.source, source); });
        if (place == loc.places.end()) {
            place = loc.places.insert(
                place, {.known_header = is_known_header(cf, source.name), .source = source});
        }
        (*place).*kind = true;
    };
    if (loc.gate->jwt) {
        for (const SourceConf& source : *loc.jwt_sources) take(source, &SourcePlace::for_jwt);
    }
    if (loc.gate->key) {
        for (const SourceConf& source : *loc.key_sources) take(source, &SourcePlace::for_key);
    }
    loc.only_header_sources = std::ranges::all_of(loc.places, [](const SourcePlace& place) {
        return place.source.type == policy::SourceType::kHeader;
    });
}

LoneHeader lone_header_of(const SourcePlace& place) {
    LoneHeader lone;
    if (place.source.type != policy::SourceType::kHeader) return lone;
    lone.pattern =
        http::HeaderPattern::of(place.source.name, place.source.scheme).value_or(lone.pattern);
    lone.cached = static_cast<std::int32_t>(place.cached);
    lone.known_header = place.known_header;
    if (place.for_jwt != place.for_key) {
        lone.kind = place.for_key ? policy::CredentialKind::kKey : policy::CredentialKind::kJwt;
    }
    return lone;
}

// What the hot path reads, from all else.
void outline(const MainConf& main, LocConf& loc) {
    loc.zone = main.zone.get();
    loc.sets_identity = !loc.identity->empty();
    loc.only_identifies =
        !*loc.dry_run && loc.requires_.empty() && loc.limits->empty() && loc.lookups->empty();
    if (loc.places.size() == 1 && *loc.strip && !*loc.dry_run) {
        loc.lone_header = lone_header_of(loc.places.front());
    }
    if (loc.gate->trusted.size() == 1) loc.lone_issuer = loc.gate->trusted.front();
    if (loc.gate->key_stores.size() == 1) loc.lone_store = loc.gate->key_stores.front();
}

void outline(ngx_conf_t* cf, const MainConf& main) {
    for (const Level& level : main.levels) {
        if (level.conf->gate->on) outline(main, *level.conf);
    }
    const auto* core = static_cast<ngx_http_core_main_conf_t*>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module));
    const std::span servers(static_cast<ngx_http_core_srv_conf_t**>(core->servers.elts),
                            core->servers.nelts);
    for (const ngx_http_core_srv_conf_t* server : servers) {
        auto& own = *static_cast<SrvConf*>(server->ctx->srv_conf[ngx_http_gate_module.ctx_index]);
        own.clears_identity = !*own.identity_clear_off && !main.identity_names.empty();
        for (const std::string& name : main.identity_names) own.identity_marks.add(name);
        own.refuses_dot_segments = *own.dot_segments == DotSegments::kRefuse;
        own.has_arguments = !own.argument_names.empty();
    }
}

bool resolve_gate(ngx_conf_t* cf, const MainConf& main, LocConf& loc) {
    if (!loc.gate.set() || !loc.gate->on) return true;
    GateConf gate = *loc.gate;
    if (gate.jwt && !resolve_names(cf, gate, gate.issuer_names, main.issuers, issuer_names(main),
                                   "jwt", gate.issuers)) {
        return false;
    }
    if (gate.key && !resolve_names(cf, gate, gate.store_names, main.stores, store_names(main),
                                   "key", gate.stores)) {
        return false;
    }
    if (!check_gate(cf, gate)) return false;
    for (const LiveIssuer* live : gate.issuers) gate.trusted.push_back(&live->trusted);
    for (const LiveStore* live : gate.stores) gate.key_stores.push_back(&live->store);
    loc.gate = std::move(gate);
    return true;
}

bool may_hold_credential(std::string_view name) {
    constexpr std::array<std::string_view, 3> kPrefixes{"http_", "cookie_", "arg_"};
    constexpr std::array<std::string_view, 5> kNames{"request_uri", "request", "args",
                                                     "query_string", "is_args"};
    return std::any_of(kPrefixes.begin(), kPrefixes.end(),
                       [&](std::string_view prefix) { return name.starts_with(prefix); }) ||
           std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

// "$http_authorization" for "authorization".
std::string variable_of_header(std::string_view lowcase) {
    std::string name = "http_" + std::string(lowcase);
    std::ranges::replace(name, '-', '_');
    return name;
}

// All configuration has been read: what is indexed now is all that requests will cache.
void collect_variables(ngx_conf_t* cf, MainConf& main) {
    const auto* core = static_cast<ngx_http_core_main_conf_t*>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module));
    const std::span variables(static_cast<const ngx_http_variable_t*>(core->variables.elts),
                              core->variables.nelts);
    for (const Level& level : main.levels) {
        for (SourcePlace& place : level.conf->places) {
            const auto cached = std::ranges::find(variables, variable_of_header(place.source.name),
                                                  [](const auto& one) { return view(one.name); });
            if (cached != variables.end()) place.cached = cached - variables.begin();
        }
    }
    for (ngx_uint_t i = 0; i < variables.size(); ++i) {
        const std::string_view name = view(variables[i].name);
        const bool claim = std::any_of(main.claim_variables.begin(), main.claim_variables.end(),
                                       [&](const auto& one) { return one->name == name; });
        if (claim || name.starts_with("gate_")) {
            main.gate_variables.push_back(i);
        } else if (may_hold_credential(name)) {
            main.credential_variables.push_back(i);
        }
    }
}

}  // namespace

std::vector<std::string> issuer_names(const MainConf& main) {
    std::vector<std::string> names;
    for (const auto& live : main.issuers) names.push_back(live->issuer.name);
    return names;
}

const LiveIssuer* find_issuer(ngx_conf_t* cf, const MainConf& main, const ContentConf& content) {
    const auto found = std::ranges::find(main.issuers, content.issuer_name,
                                         [](const auto& live) { return live->issuer.name; });
    if (found != main.issuers.end()) return found->get();
    fail_at(cf, content.where.text(),
            quoted(content.directive) + " names unknown issuer " + quoted(content.issuer_name) +
                "; declared issuers: " + listed(issuer_names(main)));
    return nullptr;
}

ngx_int_t complete_configuration(ngx_conf_t* cf) {
    MainConf& main = main_conf(cf);
    auto& http =
        *static_cast<LocConf*>(ngx_http_conf_get_module_loc_conf(cf, ngx_http_gate_module));
    if (!resolve_roles(cf, main) || !complete_redis_names(cf, main) || !resolve_redis(cf, main) ||
        !load_files(cf, main)) {
        return NGX_ERROR;
    }
    if (!complete_zone(cf, main)) return NGX_ERROR;
    if (!resolve_gate(cf, main, http)) return NGX_ERROR;
    for (const Level& level : main.levels) {
        if (!resolve_gate(cf, main, *level.conf)) return NGX_ERROR;
        // No request is decided about at http level, whose settings stay as they were written.
        if (level.conf->gate->on) collect_places(cf, *level.conf);
    }
    if (!complete_limits(cf, main, http) || !complete_lookups(cf, main, http) ||
        !check_metrics(cf, main) || !complete_content(cf, main)) {
        return NGX_ERROR;
    }
    if (!check_configuration(cf, main, http)) return NGX_ERROR;
    warn_about_other_modules(cf);
    warn_without_zone(cf, main);
    collect_variables(cf, main);
    outline(cf, main);
    dump_configuration(cf, main);
    return prepare_routes(cf, main) ? NGX_OK : NGX_ERROR;
}

}  // namespace gate::nginx
