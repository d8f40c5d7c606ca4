// Watching what the gate depends on: each worker tells the zone what it knows, one judges for all,
// and each change of a state is one count, and one line in the log unless it goes up and down all
// the time.
#pragma once

#include "policy/health.h"

namespace gate::nginx {

struct MainConf;

// For init_process and exit_process, behind the things that are watched and before them.
void start_health_watch(const MainConf& main);
void stop_health_watch() noexcept;

// What was judged last; without gate_zone by this worker for itself.
policy::HealthReport health_report();

}  // namespace gate::nginx
