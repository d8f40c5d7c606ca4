#include "base/ascii.h"
#include "crypto/digest.h"
#include "nginx/conf_check.h"
#include "nginx/content.h"
#include "nginx/setters.h"

namespace gate::nginx {

namespace {

std::vector<SourceConf> header_source(std::string_view name, std::string_view scheme) {
    SourceConf source;
    source.type = policy::SourceType::kHeader;
    source.name = name;
    source.scheme = scheme;
    return {std::move(source)};
}

// A level's own lines come after what it inherits; "gate off" and "gate_require off" inherit none.
void merge_requires(const LocConf& parent, LocConf& loc) {
    const bool off = loc.gate.set() && !loc.gate->on;
    if (loc.drop_inherited_requires || off) return;
    loc.requires_.insert(loc.requires_.begin(), parent.requires_.begin(), parent.requires_.end());
}

void merge_settings(const LocConf& parent, LocConf& loc) {
    loc.gate.inherit(parent.gate, {});
    loc.jwt_sources.inherit(parent.jwt_sources, header_source("authorization", "Bearer"));
    loc.key_sources.inherit(parent.key_sources, header_source("x-api-key", ""));
    loc.conflict.inherit(parent.conflict, policy::ConflictRule::kRefuse);
    loc.strip.inherit(parent.strip, true);
    loc.preflight.inherit(parent.preflight, Preflight::kAnswer);
    loc.max_token_size.inherit(parent.max_token_size, 8192);
    loc.identity.inherit(parent.identity, {});
    loc.error_format.inherit(parent.error_format, ErrorFormat::kAuto);
    loc.replies.inherit(parent.replies, {});
    loc.login.inherit(parent.login, {});
    loc.fields.inherit(parent.fields, {});
    loc.cookies.inherit(parent.cookies, {});
    loc.dry_run.inherit(parent.dry_run, false);
    loc.log_level.inherit(parent.log_level, NGX_LOG_ERR);
}

// As the operator wrote it, "" for a server's own level.
std::string name_level(const ngx_http_core_loc_conf_t& core, const LocConf& parent) {
    if (core.noname) {
        return (core.lmt_excpt ? "limit_except" : "if") +
               (parent.name.empty() ? std::string() : " in " + parent.name);
    }
    if (core.name.data == nullptr) return {};
    std::string_view modifier;
    if (core.exact_match) modifier = "= ";
    if (core.noregex) modifier = "^~ ";
#if (NGX_PCRE)
    if (core.regex != nullptr) modifier = "~ ";
#endif
    return "location " + std::string(modifier) + std::string(view(core.name));
}

void collect_server(SrvConf& server, const LocConf& loc) {
    for (const auto* sources : {&*loc.jwt_sources, &*loc.key_sources}) {
        for (const SourceConf& source : *sources) {
            if (source.type == policy::SourceType::kArgument) {
                server.argument_names.insert(source.name);
            }
        }
    }
}

Where block_start(ngx_conf_t* cf) {
    if (cf->conf_file == nullptr || cf->conf_file->file.fd == NGX_INVALID_FILE) return {};
    return {std::string(view(cf->conf_file->file.name)), cf->conf_file->line};
}

template <class T>
T* module_conf(void** confs) {
    return static_cast<T*>(confs[ngx_http_gate_module.ctx_index]);
}

}  // namespace

std::string normal_header_name(std::string_view name) {
    std::string normal(name);
    for (char& c : normal) c = normal_header_character(c);
    return normal;
}

MainConf& main_conf(ngx_conf_t* cf) {
    return *module_conf<MainConf>(static_cast<ngx_http_conf_ctx_t*>(cf->ctx)->main_conf);
}

void* create_main_conf(ngx_conf_t* cf) noexcept {
    return guard(cf->log, static_cast<void*>(nullptr), [&]() -> void* {
        auto* conf = pool_new<MainConf>(cf->pool);
        conf->loaded = ngx_time();
        if (!crypto::random_bytes(conf->token_id_key)) {
            fail_at(cf, "", "gate: the machine has no random numbers");
            return nullptr;
        }
        return conf;
    });
}

void* create_srv_conf(ngx_conf_t* cf) noexcept {
    return guard(cf->log, static_cast<void*>(nullptr),
                 [&]() -> void* { return pool_new<SrvConf>(cf->pool); });
}

void* create_loc_conf(ngx_conf_t* cf) noexcept {
    return guard(cf->log, static_cast<void*>(nullptr), [&]() -> void* {
        auto* conf = pool_new<LocConf>(cf->pool);
        conf->where = block_start(cf);
        return conf;
    });
}

char* merge_srv_conf(ngx_conf_t* cf, void* parent_data, void* child_data) noexcept {
    return guard(cf->log, static_cast<char*>(NGX_CONF_ERROR), [&]() -> char* {
        const auto& parent = *static_cast<SrvConf*>(parent_data);
        auto& child = *static_cast<SrvConf*>(child_data);
        child.dot_segments.inherit(parent.dot_segments, DotSegments::kRefuse);
        child.identity_clear_off.inherit(parent.identity_clear_off, false);
        return NGX_CONF_OK;
    });
}

char* merge_loc_conf(ngx_conf_t* cf, void* parent_data, void* child_data) noexcept {
    return guard(cf->log, static_cast<char*>(NGX_CONF_ERROR), [&]() -> char* {
        auto& parent = *static_cast<LocConf*>(parent_data);
        auto& child = *static_cast<LocConf*>(child_data);
        merge_requires(parent, child);
        merge_limits(parent, child);
        merge_lookups(parent, child);
        merge_settings(parent, child);
        const auto* ctx = static_cast<ngx_http_conf_ctx_t*>(cf->ctx);
        auto* core =
            static_cast<ngx_http_core_loc_conf_t*>(ctx->loc_conf[ngx_http_core_module.ctx_index]);
        auto* server =
            static_cast<ngx_http_core_srv_conf_t*>(ctx->srv_conf[ngx_http_core_module.ctx_index]);
        child.server = server;
        child.name = name_level(*core, parent);
        merge_content(parent, child, core);
        collect_server(*module_conf<SrvConf>(ctx->srv_conf), child);
        main_conf(cf).levels.push_back({&child, &parent, core, server});
        return NGX_CONF_OK;
    });
}

}  // namespace gate::nginx
