// gate_health: the content handler that says in what state the things are that the gate depends on,
// and what each location asks for.
#pragma once

#include "nginx/conf.h"
#include "nginx/ngx.h"

namespace gate::nginx {

// Makes what `gate_health routes` serves, where a location has it. False after an error.
bool prepare_routes(ngx_conf_t* cf, MainConf& main);

}  // namespace gate::nginx
