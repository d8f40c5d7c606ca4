// gate_jwks: the content handler that publishes the keys of an issuer.
#pragma once

#include "nginx/conf.h"
#include "nginx/ngx.h"

namespace gate::nginx {

// Finds the issuers that gate_jwks lines name. False after a message: there is none of that name,
// or it has nothing to publish.
bool complete_jwks(ngx_conf_t* cf, const MainConf& main);

}  // namespace gate::nginx
