#include "nginx/zone_lock.h"

#include <signal.h>

#include <cerrno>

#include "nginx/clock.h"

namespace gate::nginx {

namespace {

constexpr std::uint64_t kPatience = 20'000;        // nanoseconds
constexpr std::uint64_t kSuspicion = 100'000'000;  // nanoseconds
constexpr int kTriesBetweenClocks = 32;

// Who held the lock when we last failed to get it, and since when.
ngx_pid_t suspect = 0;
std::uint64_t suspect_since = 0;

void suspect_holder(ngx_shmtx_t* mutex, std::uint64_t now) noexcept {
    const auto holder = static_cast<ngx_pid_t>(*mutex->lock);
    if (holder != suspect) {
        suspect = holder;
        suspect_since = now;
        return;
    }
    if (holder == 0 || now - suspect_since < kSuspicion) return;
    if (kill(holder, 0) == -1 && errno == ESRCH) {
        ngx_shmtx_force_unlock(mutex, holder);
        suspect = 0;
    }
}

bool try_lock(void* data) noexcept {
    auto* mutex = static_cast<ngx_shmtx_t*>(data);
    if (ngx_shmtx_trylock(mutex) != 0) return true;
    const std::uint64_t start = monotonic_nanoseconds();
    std::uint64_t now = start;
    do {
        for (int i = 0; i < kTriesBetweenClocks; ++i) {
            ngx_cpu_pause();
            if (ngx_shmtx_trylock(mutex) != 0) return true;
        }
        now = monotonic_nanoseconds();
    } while (now - start < kPatience);
    suspect_holder(mutex, now);
    return false;
}

void unlock(void* data) noexcept {
    ngx_shmtx_unlock(static_cast<ngx_shmtx_t*>(data));
}

}  // namespace

cache::WriterLock writer_lock(ngx_slab_pool_t* pool) noexcept {
    return {try_lock, unlock, &pool->mutex};
}

}  // namespace gate::nginx
