#include "tests/support/shared_region.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <new>

namespace gate::test {

SharedRegion::SharedRegion(std::size_t size) : size_(size) {
    void* data = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) std::abort();
    data_ = static_cast<std::byte*>(data);
}

SharedRegion::~SharedRegion() {
    munmap(data_, size_);
}

namespace {

pthread_mutex_t* mutex_in(std::byte* storage) {
    static_assert(sizeof(pthread_mutex_t) <= 64);
    return reinterpret_cast<pthread_mutex_t*>(storage);
}

}  // namespace

SharedMutex::SharedMutex() {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_t* mutex = new (storage_) pthread_mutex_t;
    if (pthread_mutex_init(mutex, &attributes) != 0) std::abort();
    pthread_mutexattr_destroy(&attributes);
}

void SharedMutex::lock() {
    const int error = pthread_mutex_lock(mutex_in(storage_));
    if (error == EOWNERDEAD) {
        if (pthread_mutex_consistent(mutex_in(storage_)) != 0) std::abort();
    } else if (error != 0) {
        std::abort();
    }
}

void SharedMutex::unlock() {
    if (pthread_mutex_unlock(mutex_in(storage_)) != 0) std::abort();
}

pid_t fork_child(const std::function<int()>& body) {
    std::fflush(nullptr);  // or the child's buffers hold the parent's text
    const pid_t pid = fork();
    if (pid < 0) std::abort();
    if (pid == 0) _exit(body());
    return pid;
}

ChildEnd wait_for_child(pid_t pid) {
    int status = 0;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) std::abort();
    }
    if (WIFSIGNALED(status)) return {0, WTERMSIG(status)};
    return {WEXITSTATUS(status), 0};
}

}  // namespace gate::test
