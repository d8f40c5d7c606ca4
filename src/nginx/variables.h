// The gate's variables. Empty until the credential is verified; in subrequests they show the main
// request's principal; they survive internal redirects.
#pragma once

#include "nginx/ngx.h"

namespace gate::nginx {

// Registers all but those of gate_claim. For preconfiguration.
ngx_int_t add_variables(ngx_conf_t* cf);

// Handler of a gate_claim variable; `data` is its ClaimVariable.
ngx_int_t claim_variable(ngx_http_request_t* r, ngx_http_variable_value_t* v, uintptr_t data);

}  // namespace gate::nginx
