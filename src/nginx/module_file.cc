#include "nginx/module_file.h"

#include <dlfcn.h>
#include <sys/stat.h>

#include <optional>

#include "nginx/conf.h"
#include "nginx/ngx.h"
#include "nginx/ticker.h"

namespace gate::nginx {

namespace {

constexpr ngx_msec_t kTick = 1000;

// What another file, or other octets in the same one, cannot have in common. Not its ctime: other
// rights are no other code.
struct Stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    std::int64_t written;  // nanoseconds since the epoch
    bool operator==(const Stamp&) const = default;
};

const char* path = nullptr;
std::optional<Stamp> loaded;
// In the first worker, from init_process to exit_process.
Ticker ticker;
std::optional<Stamp> seen;  // at the last tick

std::optional<Stamp> stamp_of_module() noexcept {
    struct stat status {};
    if (stat(path, &status) != 0) return std::nullopt;
    return Stamp{status.st_dev, status.st_ino, status.st_size,
                 std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec};
}

// Whether it is time to speak: the other file has been the same at two ticks, so it is complete.
bool replaced() noexcept {
    const auto now = stamp_of_module();
    if (!now || now == loaded) {
        seen.reset();
        return false;
    }
    const bool at_rest = now == seen;
    seen = now;
    return at_rest;
}

void tick() {
    if (!replaced()) return;
    ticker.stop();
    ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                  "gate: \"%s\" is another file than the one that nginx was started with; its code "
                  "is not in use, after a reload neither: restart nginx, or upgrade it in place "
                  "(kill -USR2)",
                  path);
}

}  // namespace

void note_module_file() noexcept {
    Dl_info info{};
    if (path != nullptr || dladdr(&ngx_http_gate_module, &info) == 0) return;
    path = info.dli_fname;  // as long as the code is mapped
    loaded = stamp_of_module();
}

void start_module_file_check() noexcept {
    if (ngx_worker != 0 || !loaded) return;
    ticker.start(kTick, tick);
}

void stop_module_file_check() noexcept {
    ticker.stop();
}

}  // namespace gate::nginx
