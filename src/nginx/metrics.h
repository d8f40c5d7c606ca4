// gate_metrics: the content handler that serves the zone's counters and gauges.
#pragma once

#include "nginx/conf.h"
#include "nginx/ngx.h"

namespace gate::nginx {

// False after an error: there is no zone.
bool check_metrics(ngx_conf_t* cf, const MainConf& main);

}  // namespace gate::nginx
