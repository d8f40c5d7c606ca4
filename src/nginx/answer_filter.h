// Turns nginx's own special response into the gate's answer when the gate's refusal is what is
// being sent: challenge, Retry-After, Cache-Control, body, or the way to the login page.
#pragma once

#include "nginx/ngx.h"

namespace gate::nginx {

// Puts the header and body filter in front of the chains. For the filter module's
// postconfiguration.
ngx_int_t install_answer_filters(ngx_conf_t* cf) noexcept;

}  // namespace gate::nginx
