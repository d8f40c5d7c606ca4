// Changes of a store in Redis: what is read is watched, and all that is changed is one MULTI.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "gatectl/redis_session.h"
#include "gatectl/store_change.h"
#include "redis/change.h"

namespace gate::ctl {

// One attempt.
class RedisChange {
public:
    // Watches these keys and asks then; the replies to the questions. Error replies are refusals.
    Result<std::vector<redis::Reply>, Refusal> look(const std::vector<std::string>& watched,
                                                    const Commands& questions);
    // Is done with all others, or not at all.
    void add(std::string command) { commands_.push_back(std::move(command)); }
    // With its entry in the store's stream, which forgets what is older than a week.
    void announce(const redis::Change& change);

    RedisSession& session() noexcept { return session_; }
    const redis::StoreKeys& keys() const noexcept { return session_.keys(); }
    // Seconds since 1970 by the server's clock.
    std::int64_t server_time() const noexcept { return server_time_; }
    // What the added commands were answered; empty until they are done.
    const std::vector<redis::Reply>& results() const noexcept { return results_; }

private:
    friend class ChangeRunner;
    explicit RedisChange(RedisSession& session) : session_(session) {}

    RedisSession& session_;
    std::int64_t server_time_ = 0;
    Commands commands_;
    std::vector<redis::Reply> results_;
};

// Looks and adds; it is called again where others were quicker.
using ChangeBody = std::function<Status<Refusal>(RedisChange&)>;
// Is told the replies of what was done.
using ChangeEnd = std::function<void(const std::vector<redis::Reply>&)>;

// Makes a change. A store without epoch takes none. Errors are sentences; where it is not known
// whether the change was made, they say so.
Result<Outcome, std::string> change_redis(RedisSession& session, const ChangeBody& body,
                                          const ChangeEnd& end = {});

// WAIT, as --wait asks for it.
void wait_for_replicas(RedisSession& session, Outcome& outcome);

// What is said of a store without epoch.
std::string no_epoch(const redis::StoreKeys& keys);

}  // namespace gate::ctl
