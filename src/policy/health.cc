#include "policy/health.h"

#include <algorithm>
#include <utility>

namespace gate::policy {

namespace {

bool within(const Age& age, std::uint64_t time) noexcept {
    return age && *age <= time;
}

std::string seconds(std::uint64_t milliseconds) {
    return std::to_string(milliseconds / 1000) + "." + std::to_string(milliseconds / 100 % 10) +
           "s";
}

Health disconnected(std::string reason) {
    return {HealthState::kDisconnected, std::move(reason)};
}
Health degraded(std::string reason) {
    return {HealthState::kDegraded, std::move(reason)};
}

std::string behind(std::string_view what, const std::string& problem) {
    return problem.empty() ? std::string(what) : std::string(what) + ": " + problem;
}

}  // namespace

std::string_view name_of(HealthState state) noexcept {
    switch (state) {
        case HealthState::kNotConfigured:
            return "not_configured";
        case HealthState::kConnected:
            return "connected";
        case HealthState::kDegraded:
            return "degraded";
        case HealthState::kStarting:
            return "starting";
        case HealthState::kDisconnected:
            break;
    }
    return "disconnected";
}

Health health_of_redis(const RedisFacts& facts) {
    if (!within(facts.ready, kFactLife)) {
        if (!within(facts.failure, facts.uptime) && facts.uptime < kStartingTime) return {};
        return disconnected(behind("no connection", facts.problem));
    }
    // Nobody has asked it anything before the time is over.
    if (!within(facts.answer, facts.answer_due)) {
        return degraded("no answer for " + seconds(facts.answer.value_or(facts.uptime)));
    }
    if (within(facts.failure, kFailureLife)) {
        return degraded(
            behind("a question or a connection failed within the last minute", facts.problem));
    }
    return {HealthState::kConnected};
}

Health health_of_followed(const FollowedFacts& facts) {
    if (facts.overflowed) return disconnected("the zone has no room for all that is revoked");
    if (!facts.lag) {
        if (facts.uptime < kStartingTime) return {};
        return disconnected("never read in full");
    }
    const std::uint64_t lag = *facts.lag;
    if (lag <= kLag + kLagOfQuiet) return {HealthState::kConnected};
    const std::string reason = "last known to be complete " + seconds(lag) + " ago";
    if (lag <= facts.max_lag || facts.serve_when_late) return degraded(reason);
    return disconnected(reason + ", which is more than max_lag");
}

Health health_of_files(const FileFacts& facts) {
    if (within(facts.withdrawn, kFactLife)) {
        return disconnected(behind("a worker has nothing of it in force", facts.problem));
    }
    if (within(facts.stale, kFactLife)) {
        return degraded(behind("what was good last stays in force", facts.problem));
    }
    return {HealthState::kConnected};
}

Health worse_of(Health a, Health b) {
    return a.state < b.state ? std::move(b) : std::move(a);
}

bool is_ready(const HealthReport& report) noexcept {
    return std::ranges::all_of(report.integrations, [](const Integration& integration) {
        return integration.health.state < HealthState::kStarting;
    });
}

}  // namespace gate::policy
