// What each directive does with its arguments; directives.cc puts them into nginx's table.
#pragma once

#include "nginx/conf.h"
#include "nginx/directive.h"

namespace gate::nginx {

// conf_gate.cc
bool set_gate(Directive& directive, LocConf& loc);
bool set_gate_source(Directive& directive, LocConf& loc);
bool set_gate_source_conflict(Directive& directive, LocConf& loc);
bool set_gate_strip(Directive& directive, LocConf& loc);
bool set_gate_preflight(Directive& directive, LocConf& loc);
bool set_gate_dot_segments(Directive& directive, SrvConf& srv);
bool set_gate_max_token_size(Directive& directive, LocConf& loc);

// conf_require.cc
bool set_gate_require_scope(Directive& directive, LocConf& loc);
bool set_gate_require_role(Directive& directive, LocConf& loc);
bool set_gate_require_claim(Directive& directive, LocConf& loc);
bool set_gate_require(Directive& directive, LocConf& loc);

// conf_identity.cc
bool set_gate_identity(Directive& directive, LocConf& loc);
bool set_gate_identity_clear(Directive& directive, SrvConf& srv);
bool set_gate_claim(Directive& directive, MainConf& main);

// conf_answer.cc
bool set_gate_error_format(Directive& directive, LocConf& loc);
bool set_gate_reply(Directive& directive, LocConf& loc);
bool set_gate_login_url(Directive& directive, LocConf& loc);
bool set_gate_field(Directive& directive, LocConf& loc);
bool set_gate_cookie(Directive& directive, LocConf& loc);
bool set_gate_dry_run(Directive& directive, LocConf& loc);
bool set_gate_log_level(Directive& directive, LocConf& loc);

// conf_issuer.cc, conf_keys.cc, conf_roles.cc: blocks
bool set_gate_issuer(Directive& directive, MainConf& main);
// Its words for issuing, and what they mean together. (conf_sign.cc)
using ClaimLines = std::vector<std::pair<std::string, std::string>>;
bool set_issuer_sign(Directive& word, jose::Issuer& issuer);
bool add_issuer_claim(Directive& word, ClaimLines& claims);
bool complete_signing(const Directive& directive, LiveIssuer& live, const ClaimLines& claims);
bool set_gate_keys(Directive& directive, MainConf& main);
bool set_gate_roles(Directive& directive, MainConf& main);

// conf_users.cc: a block
bool set_gate_users(Directive& directive, MainConf& main);

// conf_redis.cc: a block
bool set_gate_redis(Directive& directive, MainConf& main);
// A server that one of its words names. (conf_redis_names.cc)
bool add_redis_server(const Directive& word, std::string_view text, std::uint16_t port,
                      RedisConf& conf);

// conf_zone.cc
bool set_gate_zone(Directive& directive, MainConf& main);
bool set_gate_revocation(Directive& directive, MainConf& main);

// conf_limit.cc
bool set_gate_limit(Directive& directive, LocConf& loc);
bool set_gate_fail_limit(Directive& directive, LocConf& loc);

// conf_lookup.cc
bool set_gate_revocation_lookup(Directive& directive, LocConf& loc);

// metrics.cc, health.cc, jwks.cc, login.cc, refresh.cc, logout.cc
bool set_gate_metrics(Directive& directive, LocConf& loc);
bool set_gate_health(Directive& directive, LocConf& loc);
bool set_gate_jwks(Directive& directive, LocConf& loc);
bool set_gate_login(Directive& directive, LocConf& loc);
bool set_gate_refresh(Directive& directive, LocConf& loc);
bool set_gate_logout(Directive& directive, LocConf& loc);

// The main configuration while nginx reads its files.
MainConf& main_conf(ngx_conf_t* cf);

// Why a request header of that name is none that the gate may take or set; nullptr when it may.
const char* forbidden_header(std::string_view name);

}  // namespace gate::nginx
