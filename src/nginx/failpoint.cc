// Where tests kill a worker (cache/failpoint.h), chosen by the environment of the master when it
// loads the module; nginx clears that of the workers:
//
//     GATE_FAILPOINT=name[:n[:stop]]   the n-th passing of that place by any worker (default 1)
//     kills
//                                      it, or stops it; this happens once
//     GATE_FAILPOINT_LOG=path          each name that a worker passed, a line, once
//
// Only a module of BUILD=failpoints has any of it.
#if defined(GATE_FAILPOINTS)

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "cache/failpoint.h"
#include "nginx/ngx.h"

namespace gate::nginx {

namespace {

constexpr std::size_t kMaxPlans = 4;

// Shared by the master and all workers.
struct Shared {
    std::array<std::atomic<std::uint64_t>, kMaxPlans> passed;
    std::array<std::atomic<std::uint64_t>, 512> seen;  // hashes of names
};

struct Plan {
    std::string name;
    std::uint64_t passing = 1;
    int signal = SIGKILL;
};

std::array<Plan, kMaxPlans> plans;
int log_file = -1;
Shared* shared = nullptr;

// FNV-1a, never 0.
std::uint64_t hash_of(std::string_view name) noexcept {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return hash | 1;
}

void log_once(std::string_view name) noexcept {
    const std::uint64_t hash = hash_of(name);
    auto& seen = shared->seen;
    for (std::size_t i = hash % seen.size();; i = (i + 1) % seen.size()) {
        std::uint64_t found = seen[i].load(std::memory_order_relaxed);
        if (found == hash) return;
        if (found != 0) continue;
        if (!seen[i].compare_exchange_strong(found, hash)) return;
        std::array<char, 64> line{};
        const std::size_t size = std::min(name.size(), line.size() - 1);
        std::memcpy(line.data(), name.data(), size);
        line[size] = '\n';
        if (write(log_file, line.data(), size + 1) < 0) return;
        return;
    }
}

void on_failpoint(const char* name) {
    if (ngx_process != NGX_PROCESS_WORKER) return;
    if (log_file >= 0) log_once(name);
    for (std::size_t i = 0; i < plans.size(); ++i) {
        if (plans[i].name != name) continue;
        // A signal to oneself is delivered before kill() returns, unless another thread takes it.
        if (shared->passed[i].fetch_add(1) + 1 == plans[i].passing) kill(getpid(), plans[i].signal);
    }
}

Plan parse_plan(std::string_view text) {
    Plan plan;
    const std::size_t colon = text.find(':');
    plan.name = text.substr(0, colon);
    if (colon != text.npos) {
        plan.passing = std::strtoull(std::string(text.substr(colon + 1)).c_str(), nullptr, 10);
        if (text.ends_with(":stop")) plan.signal = SIGSTOP;
    }
    return plan;
}

bool read_plans() {
    const char* text = std::getenv("GATE_FAILPOINT");
    const char* log = std::getenv("GATE_FAILPOINT_LOG");
    if (text == nullptr && log == nullptr) return false;
    void* memory =
        mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return false;
    shared = static_cast<Shared*>(memory);
    if (log != nullptr) log_file = open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    std::string_view rest = text != nullptr ? text : "";
    for (std::size_t i = 0; i < plans.size() && !rest.empty(); ++i) {
        const std::size_t comma = rest.find(',');
        plans[i] = parse_plan(rest.substr(0, comma));
        rest.remove_prefix(comma == rest.npos ? rest.size() : comma + 1);
    }
    cache::failpoint_hook = on_failpoint;
    return true;
}

// When the module is loaded, which is while the configuration is read.
[[maybe_unused]] const bool planned = read_plans();

}  // namespace

}  // namespace gate::nginx

#endif
