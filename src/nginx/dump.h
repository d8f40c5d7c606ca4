// What is in force after merging, as JSON for `gatectl routes` and `gatectl explain`: one reader of
// the configuration, one truth.
#pragma once

#include <string>

#include "nginx/conf.h"
#include "nginx/ngx.h"

namespace gate::nginx {

// Servers with their locations, issuers without secrets, stores, role maps.
std::string configuration_json(ngx_conf_t* cf, const MainConf& main);

// The blocks' part of it. (dump_blocks.cc)
std::string issuers_json(const MainConf& main);
std::string stores_json(const MainConf& main);
std::string roles_json(const MainConf& main);

// Writes it to the file that the environment variable GATE_DUMP names; under `nginx -t` only. A
// failure is a warning.
void dump_configuration(ngx_conf_t* cf, const MainConf& main);

}  // namespace gate::nginx
