// Checking a password in a thread: its hash is meant to take long.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/reason.h"
#include "nginx/crew.h"
#include "nginx/live.h"
#include "nginx/waiting.h"

namespace gate::nginx {

// One request's check.
class PasswordCheck {
public:
    PasswordCheck() = default;
    PasswordCheck(const PasswordCheck&) = delete;
    PasswordCheck& operator=(const PasswordCheck&) = delete;
    ~PasswordCheck() { leave(); }

    // Wakes `waiter` when it is known whether `password` is the one of `hash`; both are copied.
    // False: too many are being checked.
    bool begin(const LiveUsers& users, std::string_view hash, std::string_view password,
               Waiter& waiter);
    bool begun() const noexcept { return job_ != nullptr; }
    bool done() const noexcept;
    // kNone: it is the one. kPasswordWrong, or kInternal where memory was short.
    Reason result() const noexcept;
    void leave() noexcept;

private:
    struct Hashing;

    std::shared_ptr<Hashing> job_;
    Crew* crew_ = nullptr;
};

// Threads of each worker that hash for `users`: what hash_threads says, or half of the cores shared
// out among the workers, at least 1.
std::size_t hash_threads_of(const LiveUsers& users) noexcept;

// For exit_process: waits for what is being hashed.
void stop_password_checks() noexcept;

}  // namespace gate::nginx
