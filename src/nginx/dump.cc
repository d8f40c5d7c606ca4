#include "nginx/dump.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/json_object.h"
#include "nginx/directive.h"

namespace gate::nginx {

namespace {

constexpr std::int64_t kDumpVersion = 1;

struct Method {
    ngx_uint_t bit;
    const char* name;
};

constexpr std::array<Method, 15> kMethods{{
    {NGX_HTTP_GET, "GET"},
    {NGX_HTTP_HEAD, "HEAD"},
    {NGX_HTTP_POST, "POST"},
    {NGX_HTTP_PUT, "PUT"},
    {NGX_HTTP_DELETE, "DELETE"},
    {NGX_HTTP_MKCOL, "MKCOL"},
    {NGX_HTTP_COPY, "COPY"},
    {NGX_HTTP_MOVE, "MOVE"},
    {NGX_HTTP_OPTIONS, "OPTIONS"},
    {NGX_HTTP_PROPFIND, "PROPFIND"},
    {NGX_HTTP_PROPPATCH, "PROPPATCH"},
    {NGX_HTTP_LOCK, "LOCK"},
    {NGX_HTTP_UNLOCK, "UNLOCK"},
    {NGX_HTTP_PATCH, "PATCH"},
    {NGX_HTTP_TRACE, "TRACE"},
}};

std::string text_of_value(const ngx_http_complex_value_t& value) {
    return std::string(view(value.value));
}

template <class Live, class Name>
std::string accepted_json(std::string_view kind, const std::vector<Live*>& blocks, Name name) {
    std::vector<std::string> names;
    for (const Live* live : blocks) names.push_back(name(*live));
    return JsonObject().text("kind", kind).texts("names", names).str();
}

std::string gate_json(const GateConf& gate) {
    JsonObject object;
    object.boolean("on", gate.on);
    if (gate.where.line != 0) object.text("where", gate.where.text());
    if (!gate.on) return object.str();
    std::vector<std::string> accepted;
    if (gate.jwt) {
        accepted.push_back(accepted_json("jwt", gate.issuers,
                                         [](const LiveIssuer& live) { return live.issuer.name; }));
    }
    if (gate.key) {
        accepted.push_back(accepted_json("key", gate.stores,
                                         [](const LiveStore& live) { return live.store.name; }));
    }
    object.raw("accepts", json_array(accepted)).boolean("optional", gate.optional);
    if (gate.realm != nullptr) object.text("realm", text_of_value(*gate.realm));
    return object.str();
}

std::string_view name_of(CookieOrigin origin) {
    switch (origin) {
        case CookieOrigin::kSame:
            return "same";
        case CookieOrigin::kAny:
            return "any";
        case CookieOrigin::kVariable:
            return "variable";
    }
    return "";
}

void add_sources(std::vector<std::string>& elements, std::string_view kind,
                 const std::vector<SourceConf>& sources) {
    for (const SourceConf& source : sources) {
        JsonObject object;
        object.text("kind", kind).text("type", policy::name_of(source.type));
        object.text("name", source.name);
        if (!source.scheme.empty()) object.text("scheme", source.scheme);
        if (source.type == policy::SourceType::kCookie) {
            object.text("origin", name_of(source.origin));
        }
        elements.push_back(object.str());
    }
}

std::string sources_json(const LocConf& loc) {
    std::vector<std::string> elements;
    if (loc.gate->jwt) add_sources(elements, "jwt", *loc.jwt_sources);
    if (loc.gate->key) add_sources(elements, "key", *loc.key_sources);
    return json_array(elements);
}

std::string requirements_json(const LocConf& loc) {
    std::vector<std::string> elements;
    for (const RequireConf& line : loc.requires_) {
        JsonObject object;
        object.text("directive", line.directive).text("text", line.text);
        object.texts("methods", line.requirement->methods).text("where", line.where.text());
        elements.push_back(object.str());
    }
    return json_array(elements);
}

std::string identity_json(const LocConf& loc) {
    std::vector<std::string> elements;
    for (const IdentityConf& line : *loc.identity) {
        JsonObject object;
        object.text("header", line.name).text("value", text_of_value(line.value));
        elements.push_back(object.text("where", line.where.text()).str());
    }
    return json_array(elements);
}

std::string_view kind_of(const ngx_http_core_loc_conf_t& core) {
    if (core.noname) return core.lmt_excpt ? "limit_except" : "if";
    if (core.name.data == nullptr) return "server";
    if (core.named) return "named";
    if (core.exact_match) return "exact";
#if (NGX_PCRE)
    if (core.regex != nullptr) return "regex";
#endif
    return "prefix";
}

// The methods that the location's limit_except block leaves alone.
std::vector<std::string> excepted_methods(const ngx_http_core_loc_conf_t& core) {
    std::vector<std::string> methods;
    for (const Method& method : kMethods) {
        if ((core.limit_except & method.bit) == 0) methods.emplace_back(method.name);
    }
    return methods;
}

// Of a limit_except level: the location it stands in.
const ngx_http_core_loc_conf_t* outer_location(const MainConf& main, const Level& level) {
    const auto outer = std::find_if(main.levels.begin(), main.levels.end(),
                                    [&](const Level& one) { return one.conf == level.parent; });
    return outer == main.levels.end() ? nullptr : outer->core;
}

std::string_view name_of(Preflight preflight) {
    switch (preflight) {
        case Preflight::kAnswer:
            return "answer";
        case Preflight::kPass:
            return "pass";
        case Preflight::kCheck:
            return "check";
    }
    return "";
}

std::string location_json(const MainConf& main, const Level& level) {
    const LocConf& loc = *level.conf;
    const ngx_http_core_loc_conf_t& core = *level.core;
    JsonObject object;
    object.text("kind", kind_of(core)).text("name", loc.name).text("where", loc.where.text());
    if (core.limit_except_loc_conf != nullptr) object.texts("only", excepted_methods(core));
    if (core.lmt_excpt) {
        const auto* outer = outer_location(main, level);
        if (outer != nullptr) object.texts("except", excepted_methods(*outer));
    }
    object.boolean("internal", core.internal);
    object.text("satisfy", core.satisfy == NGX_HTTP_SATISFY_ANY ? "any" : "all");
    object.raw("gate", gate_json(*loc.gate)).raw("sources", sources_json(loc));
    object.boolean("dry_run", *loc.dry_run).text("preflight", name_of(*loc.preflight));
    object.number("max_token_size", static_cast<std::int64_t>(*loc.max_token_size));
    object.raw("requirements", requirements_json(loc)).raw("identity", identity_json(loc));
    return object.str();
}

std::vector<std::string> server_names(const ngx_http_core_srv_conf_t& server) {
    std::vector<std::string> names;
    const auto* elements = static_cast<ngx_http_server_name_t*>(server.server_names.elts);
    for (ngx_uint_t i = 0; i < server.server_names.nelts; ++i) {
        if (elements[i].name.len != 0) names.emplace_back(view(elements[i].name));
    }
    return names;
}

std::vector<std::string> listens_of(ngx_conf_t* cf, const ngx_http_core_srv_conf_t* server) {
    std::vector<std::string> listens;
    const auto* core = static_cast<ngx_http_core_main_conf_t*>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module));
    if (core->ports == nullptr) return listens;
    const auto* ports = static_cast<ngx_http_conf_port_t*>(core->ports->elts);
    for (ngx_uint_t p = 0; p < core->ports->nelts; ++p) {
        const auto* addresses = static_cast<ngx_http_conf_addr_t*>(ports[p].addrs.elts);
        for (ngx_uint_t a = 0; a < ports[p].addrs.nelts; ++a) {
            auto* const* servers =
                static_cast<ngx_http_core_srv_conf_t**>(addresses[a].servers.elts);
            const auto* const* end = servers + addresses[a].servers.nelts;
            if (std::find(servers, servers + addresses[a].servers.nelts, server) == end) continue;
            listens.emplace_back(view(addresses[a].opt.addr_text));
        }
    }
    return listens;
}

std::string server_json(ngx_conf_t* cf, const MainConf& main,
                        const ngx_http_core_srv_conf_t* server) {
    std::vector<std::string> locations;
    for (const Level& level : main.levels) {
        if (level.server == server) locations.push_back(location_json(main, level));
    }
    const Where where{reinterpret_cast<const char*>(server->file_name), server->line};
    JsonObject object;
    object.texts("names", server_names(*server)).texts("listens", listens_of(cf, server));
    return object.text("where", where.text()).raw("locations", json_array(locations)).str();
}

bool write_file(const char* path, std::string_view text) {
    const int fd =
        open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    if (fd < 0) return false;
    bool good = true;
    while (good && !text.empty()) {
        const ssize_t written = write(fd, text.data(), text.size());
        good = written > 0;
        if (good) text.remove_prefix(static_cast<std::size_t>(written));
    }
    return close(fd) == 0 && good;
}

}  // namespace

std::string configuration_json(ngx_conf_t* cf, const MainConf& main) {
    std::vector<std::string> servers;
    const ngx_http_core_srv_conf_t* last = nullptr;
    for (const Level& level : main.levels) {
        if (level.server == last) continue;
        last = level.server;
        servers.push_back(server_json(cf, main, level.server));
    }
    JsonObject object;
    object.number("version", kDumpVersion).text("file", view(cf->cycle->conf_file));
    object.raw("servers", json_array(servers)).raw("issuers", issuers_json(main));
    return object.raw("stores", stores_json(main)).raw("roles", roles_json(main)).str();
}

void dump_configuration(ngx_conf_t* cf, const MainConf& main) {
    const char* path = std::getenv("GATE_DUMP");
    if (!ngx_test_config || path == nullptr || *path == '\0') return;
    if (!write_file(path, configuration_json(cf, main) + "\n")) {
        warn_at(cf, "", "GATE_DUMP: cannot write " + quoted(path));
    }
}

}  // namespace gate::nginx
