#include "nginx/redis_eviction.h"

#include <string>

#include "nginx/bridge.h"
#include "redis/command.h"
#include "redis/eviction.h"

namespace gate::nginx {

namespace {

constexpr ngx_msec_t kInterval = 60'000;

}  // namespace

void EvictionCheck::ask() {
    const bool soon = ever_asked_ && ngx_current_msec - asked_ < kInterval;
    if (ngx_worker != 0 || waiting_ || soon) return;
    std::string command;
    redis::append_command(command, {"INFO", "memory"});
    waiting_ = node_.send(*this, command, 1);
    asked_ = ngx_current_msec;
    ever_asked_ = true;
}

void EvictionCheck::answered(std::vector<redis::Reply> replies) {
    waiting_ = false;
    const redis::Reply& info = replies.front();
    const auto policy = info.is(redis::Reply::Type::kString)
                            ? redis::read_eviction_policy(info.text)
                            : std::nullopt;
    const bool error = info.is(redis::Reply::Type::kError);
    const std::string problem =
        policy ? redis::eviction_problem(*policy)
               : "whether it drops keys when its memory is full is not known: INFO " +
                     (error ? "answers " + log_escaped(info.text, 100) : "does not say");
    if (problem.empty()) return;
    const bool loses =
        policy && policy->bounded &&
        (conf_.looked_up || redis::eviction_risk(*policy) == redis::EvictionRisk::kAny);
    const ngx_uint_t level = loses ? NGX_LOG_ERR : policy ? NGX_LOG_WARN : NGX_LOG_NOTICE;
    ngx_str_t name = str(conf_.name);
    const std::string peer = node_.endpoint().text();
    ngx_str_t server = str(peer);
    ngx_str_t text = str(problem);
    ngx_log_error(level, ngx_cycle->log, 0, "gate_redis \"%V\": %V: %V", &name, &server, &text);
}

}  // namespace gate::nginx
