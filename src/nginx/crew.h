// Work that would hold up the event loop: hashing passwords, waiting for a disk. Threads live while
// there is some (docs/adr/0013); the event loop asks every few milliseconds what is done.
#pragma once

#include <cstddef>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <thread>

#include "nginx/alarm.h"

namespace gate::nginx {

class Job {
public:
    virtual ~Job() = default;
    // In a thread: nothing of nginx, not even its log.
    virtual void run() noexcept = 0;
    // In the event loop, when run() has returned.
    virtual void finish() noexcept = 0;

private:
    friend class Crew;
    std::shared_ptr<Job> next_;  // of those that are done
    bool forgotten_ = false;
};

// A worker's threads for one sort of work.
class Crew {
public:
    // At most so many jobs at once, and so many that wait for their turn.
    Crew(std::size_t threads, std::size_t queue) noexcept : threads_(threads), queue_(queue) {}
    // Waits for what runs; what has not begun is dropped.
    ~Crew();
    Crew(const Crew&) = delete;
    Crew& operator=(const Crew&) = delete;

    // False: the queue is full, or no thread can be had.
    bool take(std::shared_ptr<Job> job);
    // Nobody wants the result any more: the job does not begin, or its end is not told.
    void forget(Job& job) noexcept;
    // Jobs that have not begun.
    std::size_t waiting() const;

private:
    struct Hand {
        std::thread thread;
        bool gone = false;  // has found nothing more to do
    };

    bool start_hand();
    void work(Hand& hand) noexcept;
    void collect();

    const std::size_t threads_;
    const std::size_t queue_;
    mutable std::mutex mutex_;  // of what follows
    std::deque<std::shared_ptr<Job>> waiting_;
    std::shared_ptr<Job> done_;  // the last one, and by next_ those before it
    std::list<Hand> hands_;

    std::size_t pending_ = 0;  // taken and not collected; the event loop's own
    Alarm alarm_{call_member<Crew, &Crew::collect>, this, Binding::kBinding};
};

}  // namespace gate::nginx
