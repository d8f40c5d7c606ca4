#include "nginx/integration.h"

#include <algorithm>

#include "nginx/clock.h"
#include "nginx/conf.h"
#include "nginx/journal_feed.h"
#include "nginx/redis_client.h"
#include "nginx/stream_state.h"
#include "nginx/watch.h"
#include "redis/command.h"

namespace gate::nginx {

namespace {

using cache::IntegrationState;
using policy::Age;
using policy::Health;
using policy::HealthState;

// When this worker began to look.
std::uint64_t began = 0;

std::uint64_t uptime() noexcept {
    return monotonic_milliseconds() - began;
}

Age age_of(const std::atomic<std::uint64_t>& instant) noexcept {
    const std::uint64_t then = instant.load(std::memory_order_relaxed);
    if (then == 0) return std::nullopt;
    const std::uint64_t now = monotonic_milliseconds();
    return now > then ? now - then : 0;
}

// Whether something looks at the epoch of the store, so that somebody has to ask for it.
bool has_store(const MainConf& main, const RedisConf& conf) {
    return std::ranges::any_of(main.stores,
                               [&](const auto& live) { return live->redis == &conf; }) ||
           (main.zone && std::ranges::any_of(main.zone->streams, [&](const StreamConf& stream) {
                return stream.redis == &conf;
            }));
}

// Asks for the epoch where nobody else does, and where nobody asks anything: what a store has lost,
// and that it hangs, is known before somebody comes with a key.
class EpochProbe final : private redis::Caller {
public:
    explicit EpochProbe(const RedisConf& conf) : conf_(conf) {}
    EpochProbe(const EpochProbe&) = delete;
    EpochProbe& operator=(const EpochProbe&) = delete;
    ~EpochProbe() {
        if (RedisClient* const client = redis_client(conf_)) client->forget(*this);
    }

    void look(RedisClient& client) {
        constexpr std::uint64_t kInterval = 2500;
        const auto recent = [](const std::atomic<std::uint64_t>& instant) {
            return age_of(instant).value_or(uptime()) < kInterval;
        };
        const cache::RedisState& state = client.state();
        const bool known = recent(state.filled) || recent(state.empty);
        if (asked_ || !client.ready() || (known && recent(state.answer))) return;
        const std::string key = conf_.keys.epoch();
        std::vector<std::string> commands(1);
        redis::append_command(commands[0], {"GET", key});
        asked_ = !client.ask(*this, key, std::move(commands));
    }

private:
    void answered(std::vector<redis::Reply> replies) override {
        asked_ = false;
        const redis::Reply& epoch = replies.front();
        RedisClient* const client = redis_client(conf_);
        const bool told =
            epoch.is(redis::Reply::Type::kString) || epoch.is(redis::Reply::Type::kNil);
        if (client != nullptr && told) client->is_epoch(epoch.text);
    }
    void failed(redis::LinkFailure /*failure*/) override { asked_ = false; }

    const RedisConf& conf_;
    bool asked_ = false;
};

Health judge_redis(const RedisConf& conf, bool asked_for_epoch) {
    RedisClient* const client = redis_client(conf);
    if (client == nullptr) return {};
    const cache::RedisState& state = client->state();
    policy::RedisFacts facts;
    facts.ready = age_of(state.ready);
    facts.answer = age_of(state.answer);
    facts.failure = age_of(state.failure);
    // Where there is nothing to ask, it is asked for its role every keepalive.
    if (!asked_for_epoch) {
        facts.answer_due = std::max<std::uint64_t>(
            facts.answer_due, conf.keepalive + conf.timeout + policy::kFactLife);
    }
    facts.uptime = uptime();
    facts.problem = client->problem();
    return policy::health_of_redis(facts);
}

class RedisIntegration final : public WatchedIntegration {
public:
    RedisIntegration(const MainConf& main, const RedisConf& conf)
        : WatchedIntegration("redis", conf.name, conf.where),
          conf_(conf),
          has_store_(has_store(main, conf)),
          probe_(conf) {}

    void note(IntegrationState& /*state*/) override {
        if (RedisClient* const client = redis_client(conf_)) client->tell();
    }
    Health judge(const IntegrationState& /*state*/) override {
        RedisClient* const client = redis_client(conf_);
        if (client != nullptr && has_store_) probe_.look(*client);
        return judge_redis(conf_, has_store_);
    }

private:
    const RedisConf& conf_;
    const bool has_store_;
    EpochProbe probe_;
};

template <class Source>
class FollowedIntegration final : public WatchedIntegration {
public:
    FollowedIntegration(std::string name, const ZoneConf& zone, const Source& source)
        : WatchedIntegration("revocation", std::move(name), source.where),
          zone_(zone),
          source_(source) {}

    void note(IntegrationState& /*state*/) override {}
    Health judge(const IntegrationState& /*state*/) override {
        return policy::health_of_followed({.lag = lag_of(zone_, source_),
                                           .max_lag = source_.max_lag,
                                           .serve_when_late = source_.serve_when_late,
                                           .overflowed = zone_.zone->revocations.overflowed(),
                                           .uptime = uptime()});
    }

private:
    const ZoneConf& zone_;
    const Source& source_;
};

// gate_revocation_lookup: what one Redis is asked by any location.
class LookupIntegration final : public WatchedIntegration {
public:
    LookupIntegration(const RedisConf& conf, std::string where, bool has_store)
        : WatchedIntegration("revocation", "lookup=" + conf.name, std::move(where)),
          conf_(conf),
          has_store_(has_store) {}
    void note(IntegrationState& /*state*/) override {}
    Health judge(const IntegrationState& /*state*/) override {
        return judge_redis(conf_, has_store_);
    }

private:
    const RedisConf& conf_;
    const bool has_store_;
};

// A block that files feed, and the role map that it uses.
class FileIntegration : public WatchedIntegration {
public:
    FileIntegration(std::string kind, std::string name, std::string where, Block block,
                    const LiveRoles* roles)
        : WatchedIntegration(std::move(kind), std::move(name), std::move(where)),
          block_(block),
          roles_(const_cast<LiveRoles*>(roles)) {}

    void note(IntegrationState& state) override {
        const std::uint64_t now = monotonic_milliseconds();
        if (!problem().empty()) cache::note_latest(state.stale, now);
        if (is_withdrawn()) cache::note_latest(state.withdrawn, now);
    }
    Health judge(const IntegrationState& state) override {
        return policy::health_of_files({.withdrawn = age_of(state.withdrawn),
                                        .stale = age_of(state.stale),
                                        .problem = problem()});
    }

private:
    virtual bool is_withdrawn() const = 0;
    std::string problem() const {
        std::string own = problem_of_files(block_);
        return own.empty() && roles_ != nullptr ? problem_of_files(Block(roles_)) : own;
    }

    const Block block_;
    LiveRoles* const roles_;
};

class IssuerIntegration final : public FileIntegration {
public:
    explicit IssuerIntegration(LiveIssuer& live)
        : FileIntegration("issuer", live.issuer.name, live.where, Block(&live), live.roles),
          live_(live) {}

private:
    bool is_withdrawn() const override { return live_.trusted.keys == nullptr; }
    const LiveIssuer& live_;
};

class KeysIntegration final : public FileIntegration {
public:
    explicit KeysIntegration(LiveStore& live)
        : FileIntegration("keys", live.store.name, live.where, Block(&live), live.roles),
          live_(live) {}

    Health judge(const IntegrationState& state) override {
        Health files = FileIntegration::judge(state);
        if (live_.redis == nullptr) return files;
        Health redis = judge_redis(*live_.redis, true);
        if (!redis.reason.empty())
            redis.reason = "gate_redis " + live_.redis->name + ": " + redis.reason;
        const RedisClient* const client = redis_client(*live_.redis);
        const bool empty =
            client != nullptr && client->state().empty.load() > client->state().filled.load();
        if (redis.state < HealthState::kStarting && empty) {
            redis = {HealthState::kDisconnected, "the key \"" + live_.redis->keys.epoch() +
                                                     "\" is missing: the store is empty"};
        }
        return policy::worse_of(std::move(files), std::move(redis));
    }

private:
    bool is_withdrawn() const override {
        return live_.redis == nullptr ? live_.table == nullptr : live_.store.state == 0;
    }
    const LiveStore& live_;
};

class UsersIntegration final : public FileIntegration {
public:
    explicit UsersIntegration(LiveUsers& live)
        : FileIntegration("users", live.name, live.where, Block(&live), nullptr), live_(live) {}

private:
    bool is_withdrawn() const override { return live_.table == nullptr; }
    const LiveUsers& live_;
};

using Integrations = std::vector<std::unique_ptr<WatchedIntegration>>;

void add_followed(Integrations& all, const ZoneConf& zone) {
    for (const JournalConf& journal : zone.journals) {
        all.push_back(std::make_unique<FollowedIntegration<JournalConf>>("file=" + journal.path,
                                                                         zone, journal));
    }
    for (const StreamConf& stream : zone.streams) {
        all.push_back(std::make_unique<FollowedIntegration<StreamConf>>(
            "redis=" + stream.redis_name, zone, stream));
    }
}

// One for each block that lines name, where the first of them stands.
void add_lookups(Integrations& all, const MainConf& main) {
    std::vector<const RedisConf*> known;
    for (const Level& level : main.levels) {
        for (const auto& lookup : *level.conf->lookups) {
            if (std::ranges::count(known, lookup->redis) != 0) continue;
            known.push_back(lookup->redis);
            all.push_back(std::make_unique<LookupIntegration>(*lookup->redis, lookup->where.text(),
                                                              has_store(main, *lookup->redis)));
        }
    }
}

}  // namespace

Integrations integrations_of(const MainConf& main) {
    began = monotonic_milliseconds();
    Integrations all;
    for (const auto& redis : main.redis) {
        all.push_back(std::make_unique<RedisIntegration>(main, *redis));
    }
    if (main.zone) add_followed(all, *main.zone);
    add_lookups(all, main);
    for (const auto& live : main.issuers) all.push_back(std::make_unique<IssuerIntegration>(*live));
    for (const auto& live : main.stores) all.push_back(std::make_unique<KeysIntegration>(*live));
    for (const auto& live : main.users) all.push_back(std::make_unique<UsersIntegration>(*live));
    return all;
}

}  // namespace gate::nginx
