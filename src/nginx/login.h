// gate_login: a user's name and password for tokens.
#pragma once

#include "nginx/conf.h"

namespace gate::nginx {

// Finds what the gate_login lines name; false after a message.
bool complete_login(ngx_conf_t* cf, const MainConf& main);

}  // namespace gate::nginx
