// What only the whole configuration shows: errors stop nginx -t, warnings come with their remedy.
#pragma once

#include "nginx/conf.h"

namespace gate::nginx {

// Of the gate_issuer blocks, in order. (conf_complete.cc)
std::vector<std::string> issuer_names(const MainConf& main);

// The gate_issuer block of that name for what answers a location; nullptr after a message.
const LiveIssuer* find_issuer(ngx_conf_t* cf, const MainConf& main, const ContentConf& content);

// The same with the users of content.users_name, or the only ones; the issuer makes tokens. False
// after a message.
bool find_issuing(ngx_conf_t* cf, const MainConf& main, ContentConf& content);

// A resolved gate: issuers and stores that could not be told apart.
bool check_gate(ngx_conf_t* cf, const GateConf& gate);

// Everything else; `http` is the level outside all servers. False after an error.
bool check_configuration(ngx_conf_t* cf, const MainConf& main, const LocConf& http);

// Warns of error pages behind a gate. (conf_error_page.cc)
void warn_of_error_pages(ngx_conf_t* cf, const MainConf& main);

// The zone with all journals it follows; false after an error. The warning for a gate without one.
// (conf_zone.cc)
bool complete_zone(ngx_conf_t* cf, MainConf& main);
void warn_without_zone(ngx_conf_t* cf, const MainConf& main);

// Limits: inheritance, then their names in the zone and what they need; false after an error.
// (conf_limit.cc)
void merge_limits(const LocConf& parent, LocConf& loc);
bool complete_limits(ngx_conf_t* cf, const MainConf& main, const LocConf& http);

// The gate_redis block of that name; nullptr after an error about `subject`. (conf_redis.cc)
RedisConf* find_redis(ngx_conf_t* cf, const MainConf& main, const std::string& where,
                      const std::string& subject, const std::string& name);

// Where each store is, and what is asked for names of its servers while nginx runs; false after an
// error. (conf_redis_names.cc)
bool complete_redis_names(ngx_conf_t* cf, MainConf& main);

// The same as for limits for gate_revocation_lookup. (conf_lookup.cc)
void merge_lookups(const LocConf& parent, LocConf& loc);
bool complete_lookups(ngx_conf_t* cf, const MainConf& main, const LocConf& http);

// The part of the path that keeps the workers' user from reading that file; empty when nothing
// does. (conf_files.cc)
std::string unreadable_part(ngx_conf_t* cf, const std::string& path);

// Warns of files that the workers' user cannot read again. (conf_files.cc)
void warn_of_unreadable_files(ngx_conf_t* cf, const MainConf& main);

}  // namespace gate::nginx
