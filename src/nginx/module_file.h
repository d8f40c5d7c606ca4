// New module code needs a new process: a reload keeps the old code mapped, while nginx -t already
// runs the new one. A worker that finds another file at the module's path says so, once.
#pragma once

namespace gate::nginx {

// While the configuration is read: remembers the file that this code was loaded from, the first
// time.
void note_module_file() noexcept;

// For init_process and exit_process; the first worker looks every second.
void start_module_file_check() noexcept;
void stop_module_file_check() noexcept;

}  // namespace gate::nginx
