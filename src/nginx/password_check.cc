#include "nginx/password_check.h"

#include <algorithm>
#include <unordered_map>

#include "base/bytes.h"
#include "users/password_hash.h"

namespace gate::nginx {

namespace {

using Crews = std::unordered_map<const LiveUsers*, std::unique_ptr<Crew>>;

// Of this worker; one for each block that has checked a password.
Crews& crews() {
    static Crews& all = *new Crews;
    return all;
}

Crew& crew_of(const LiveUsers& users) {
    auto& crew = crews()[&users];
    if (!crew) crew = std::make_unique<Crew>(hash_threads_of(users), users.hash_queue);
    return *crew;
}

}  // namespace

struct PasswordCheck::Hashing final : Job {
    Hashing(std::string_view hash_text, std::string_view password_text, Waiter& waits)
        : hash(hash_text), password(bytes_of(password_text)), waiter(&waits) {}

    void run() noexcept override {
        try {
            if (users::verify(hash, password.text())) result = Reason::kNone;
        } catch (...) {
            result = Reason::kInternal;  // out of memory
        }
    }
    void finish() noexcept override {
        done = true;
        waiter->wake();
    }

    const std::string hash;
    const Secret password;
    Waiter* waiter;
    Reason result = Reason::kPasswordWrong;
    bool done = false;  // the event loop's own
};

bool PasswordCheck::begin(const LiveUsers& users, std::string_view hash, std::string_view password,
                          Waiter& waiter) {
    leave();
    auto job = std::make_shared<Hashing>(hash, password, waiter);
    Crew& crew = crew_of(users);
    if (!crew.take(job)) return false;
    job_ = std::move(job);
    crew_ = &crew;
    return true;
}

bool PasswordCheck::done() const noexcept {
    return job_ != nullptr && job_->done;
}

Reason PasswordCheck::result() const noexcept {
    return done() ? job_->result : Reason::kInternal;
}

void PasswordCheck::leave() noexcept {
    if (job_ != nullptr && !job_->done && crew_ != nullptr) crew_->forget(*job_);
    job_ = nullptr;
    crew_ = nullptr;
}

std::size_t hash_threads_of(const LiveUsers& users) noexcept {
    if (users.hash_threads != 0) return users.hash_threads;
    const auto* core =
        reinterpret_cast<ngx_core_conf_t*>(ngx_get_conf(ngx_cycle->conf_ctx, ngx_core_module));
    const auto workers = static_cast<std::size_t>(std::max<ngx_int_t>(core->worker_processes, 1));
    return std::max<std::size_t>(static_cast<std::size_t>(ngx_ncpu) / 2 / workers, 1);
}

void stop_password_checks() noexcept {
    crews().clear();
}

}  // namespace gate::nginx
