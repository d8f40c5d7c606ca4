#include "nginx/crew.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "nginx/signals_blocked.h"

namespace gate::nginx {

namespace {

constexpr ngx_msec_t kLook = 2;

}  // namespace

Crew::~Crew() {
    {
        const std::lock_guard lock(mutex_);
        waiting_.clear();
    }
    for (Hand& hand : hands_) hand.thread.join();
}

std::size_t Crew::waiting() const {
    const std::lock_guard lock(mutex_);
    return waiting_.size();
}

bool Crew::take(std::shared_ptr<Job> job) {
    std::size_t hands = 0;
    {
        const std::lock_guard lock(mutex_);
        hands = static_cast<std::size_t>(
            std::ranges::count_if(hands_, [](const Hand& hand) { return !hand.gone; }));
        if (hands == threads_ && waiting_.size() >= queue_) return false;
        waiting_.push_back(job);
    }
    // With fewer hands than it may have, one of them may be about to find more to do than it takes.
    if (hands < threads_ && !start_hand() && hands == 0) {
        const std::lock_guard lock(mutex_);
        std::erase(waiting_, job);
        return false;
    }
    ++pending_;
    alarm_.hasten(kLook);
    return true;
}

bool Crew::start_hand() {
    const SignalsBlocked blocked;
    const std::lock_guard lock(mutex_);
    Hand& hand = hands_.emplace_back();
    try {
        hand.thread = std::thread([this, &hand] { work(hand); });
    } catch (const std::system_error&) {
        hands_.pop_back();
        return false;
    }
    return true;
}

void Crew::work(Hand& hand) noexcept {
    std::unique_lock lock(mutex_);
    while (!waiting_.empty()) {
        std::shared_ptr<Job> job = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        job->run();
        lock.lock();
        job->next_ = std::move(done_);
        done_ = std::move(job);
    }
    hand.gone = true;
}

void Crew::forget(Job& job) noexcept {
    job.forgotten_ = true;
    const auto is_it = [&job](const std::shared_ptr<Job>& other) { return other.get() == &job; };
    const std::lock_guard lock(mutex_);
    pending_ -= std::erase_if(waiting_, is_it);
}

// A job may give work anew, or end requests whose jobs are forgotten then.
void Crew::collect() {
    std::shared_ptr<Job> done;
    std::list<Hand> gone;
    {
        const std::lock_guard lock(mutex_);
        done.swap(done_);
        for (auto hand = hands_.begin(); hand != hands_.end();) {
            const auto next = std::next(hand);
            if (hand->gone) gone.splice(gone.end(), hands_, hand);
            hand = next;
        }
    }
    for (Hand& hand : gone) hand.thread.join();
    while (done) {
        const std::shared_ptr<Job> job = std::move(done);
        done = std::move(job->next_);
        --pending_;
        if (!job->forgotten_) job->finish();
    }
    if (pending_ > 0) alarm_.set(kLook);
}

}  // namespace gate::nginx
