// gate_refresh: a refresh token, or the token that is about to end, for new ones.
#pragma once

#include "nginx/conf.h"

namespace gate::nginx {

// Finds what the gate_refresh lines name; false after a message.
bool complete_refresh(ngx_conf_t* cf, const MainConf& main);

}  // namespace gate::nginx
