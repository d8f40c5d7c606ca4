// Memory that a test shares with the processes it forks, as nginx's workers share a zone.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <span>

namespace gate::test {

// Zero-filled, aligned to a page, inherited by fork, unmapped by the destructor.
class SharedRegion {
public:
    explicit SharedRegion(std::size_t size);
    ~SharedRegion();
    SharedRegion(const SharedRegion&) = delete;
    SharedRegion& operator=(const SharedRegion&) = delete;

    std::span<std::byte> bytes() const { return {data_, size_}; }

    // An object at `offset`, which has to be aligned for it; made by the caller's placement new.
    template <class T>
    T* at(std::size_t offset) const {
        return reinterpret_cast<T*>(data_ + offset);
    }

private:
    std::byte* data_;
    std::size_t size_;
};

// A lock across processes that outlives the death of its holder, as the zone's does: the next one
// who locks it gets it. Placed in a SharedRegion with placement new, before the fork.
class SharedMutex {
public:
    SharedMutex();
    void lock();
    void unlock();

private:
    alignas(64) std::byte storage_[64];
};

// Runs `body` in a child; its answer is the exit status (_exit: no destructors, no test output of
// the parent twice). A child that crashes or is killed shows in wait_for_child().
pid_t fork_child(const std::function<int()>& body);

struct ChildEnd {
    int status = 0;  // exit status; 0 for a signal
    int signal = 0;  // 0 for an exit
    bool operator==(const ChildEnd&) const = default;
};
ChildEnd wait_for_child(pid_t pid);

}  // namespace gate::test
