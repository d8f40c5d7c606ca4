// Following a store in Redis: what is revoked there, and which keys change, reaches the zone within
// milliseconds. One worker of the machine does it for all; when it dies another takes over.
#pragma once

namespace gate::nginx {

struct MainConf;

// For init_process and exit_process.
void start_followers(const MainConf& main);
void stop_followers() noexcept;

}  // namespace gate::nginx
