// What state those things are in that the gate depends on: Redis, revocations, issuers, key stores.
// Judged from facts that somebody else collects. Ages are milliseconds, nullopt: never.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gate::policy {

// In the order from better to worse. kStarting: nobody knows yet; it counts as not ready.
enum class HealthState : std::uint8_t {
    kNotConfigured,
    kConnected,
    kDegraded,  // served from what was good last, or not everything went well within a minute
    kStarting,
    kDisconnected,  // what it is needed for cannot be decided
};

// Where nothing was known before, all was hoped to be well.
constexpr bool is_worse(HealthState now, HealthState before) noexcept {
    return now > (before == HealthState::kStarting ? HealthState::kConnected : before);
}
// "not_configured", "connected", ..
std::string_view name_of(HealthState state) noexcept;

struct Health {
    HealthState state = HealthState::kStarting;
    std::string reason = {};  // for people; empty while connected
};

using Age = std::optional<std::uint64_t>;

inline constexpr std::uint64_t kStartingTime = 2000;
// A fact that workers state again and again is over when nobody has for so long.
inline constexpr std::uint64_t kFactLife = 1000;
inline constexpr std::uint64_t kAnswerDue = 5000;
inline constexpr std::uint64_t kFailureLife = 60'000;
// A follower of a quiet store proves twice a second that it has everything.
inline constexpr std::uint64_t kLagOfQuiet = 500;
inline constexpr std::uint64_t kLag = 1000;

struct RedisFacts {
    Age ready = {};    // since a worker had a connection to the server that is wanted
    Age answer = {};   // since it answered last
    Age failure = {};  // since a connection or a question failed
    std::uint64_t answer_due = kAnswerDue;
    std::uint64_t uptime = 0;  // of whoever looks
    std::string problem = {};  // for people, of the last failure; may be empty
};
Health health_of_redis(const RedisFacts& facts);

// Revocations that are followed, in a journal or a store.
struct FollowedFacts {
    Age lag = {};  // since all of it was known to be applied
    std::uint64_t max_lag = 0;
    bool serve_when_late = false;
    bool overflowed = false;  // the zone had no room for all
    std::uint64_t uptime = 0;
};
Health health_of_followed(const FollowedFacts& facts);

// A block that watched files feed.
struct FileFacts {
    Age withdrawn = {};        // since a worker had nothing of it in force
    Age stale = {};            // since a worker had to keep what was good last
    std::string problem = {};  // for people; may be empty
};
Health health_of_files(const FileFacts& facts);

// Whatever stands on two things is in the worse of their states.
Health worse_of(Health a, Health b);

struct Integration {
    std::string kind;  // redis, revocation, issuer, keys
    std::string name;
    Health health;
    std::int64_t since = 0;  // Unix second of the last change; 0: not known
    std::string where;       // "nginx.conf:12"
};

struct HealthReport {
    std::string_view version;
    bool shared = false;         // known to all workers of the machine, not to this one alone
    std::int64_t now = 0;        // Unix second
    std::string_view main_file;  // whose directory the page leaves out of places
    std::vector<Integration> integrations;  // that are configured
};

// Nothing is disconnected or starting.
bool is_ready(const HealthReport& report) noexcept;

// With an entry for each kind of which there is none.
std::string health_as_json(const HealthReport& report);
std::string health_as_html(const HealthReport& report);

}  // namespace gate::policy
