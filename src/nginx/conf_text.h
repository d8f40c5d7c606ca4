// Runs the plain text reader over the configuration that nginx has just read.
#pragma once

#include "nginx/ngx.h"

namespace gate::nginx {

// Logs at warn what directives of other modules do to the gate. Never fails: a file that cannot be
// read again means no warnings.
void warn_about_other_modules(ngx_conf_t* cf);

}  // namespace gate::nginx
