// gate_logout: ends the session of the token that the request came with.
#pragma once

#include "nginx/conf.h"

namespace gate::nginx {

// Checks what the gate_logout lines need; false after a message.
bool complete_logout(ngx_conf_t* cf, const MainConf& main);

}  // namespace gate::nginx
