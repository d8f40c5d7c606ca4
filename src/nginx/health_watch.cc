#include "nginx/health_watch.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "base/siphash.h"
#include "base/version.h"
#include "nginx/bridge.h"
#include "nginx/clock.h"
#include "nginx/conf.h"
#include "nginx/integration.h"
#include "nginx/lead.h"
#include "nginx/ticker.h"
#include "policy/change_damper.h"
#include "policy/metrics_text.h"

namespace gate::nginx {

namespace {

using policy::Health;
using policy::HealthState;

// Often enough for Lead, and for facts that live a second.
constexpr ngx_msec_t kTick = 200;

// An integration, and where its state stands: in the zone, or here where there is no zone or it has
// no place left.
struct Watched {
    explicit Watched(std::unique_ptr<WatchedIntegration> what)
        : integration(std::move(what)), state(&own) {}
    std::unique_ptr<WatchedIntegration> integration;
    cache::IntegrationState own{};
    cache::IntegrationState* state;
    bool is_shared() const noexcept { return state != &own; }
    std::string told;  // the reason, as this worker has written it last
    policy::ChangeDamper changes;
};

class HealthWatch {
public:
    explicit HealthWatch(const MainConf& main);
    void start();
    void stop() noexcept;
    void tick();
    std::vector<policy::Integration> integrations() const;
    bool shared() const noexcept { return zone_ != nullptr; }

private:
    void settle(Watched& watched, const Health& health);
    void count(const Watched& watched, HealthState now);
    static void tell(const Watched& watched, const policy::ChangeDamper::Told& change);

    cache::Zone* const zone_;
    std::vector<std::unique_ptr<Watched>> all_;
    cache::LeadState own_lead_{};
    Lead lead_;
    Ticker ticker_;
};

// One pointer per worker, between init_process and exit_process.
HealthWatch* health_watch = nullptr;

constexpr std::uint64_t word_of(HealthState state, std::int64_t since) noexcept {
    return static_cast<std::uint64_t>(since) << 8 | (static_cast<std::uint64_t>(state) + 1);
}
constexpr HealthState state_in(std::uint64_t word) noexcept {
    return word == 0 ? HealthState::kStarting : static_cast<HealthState>((word & 0xff) - 1);
}
constexpr std::int64_t since_in(std::uint64_t word) noexcept {
    return static_cast<std::int64_t>(word >> 8);
}

HealthWatch::HealthWatch(const MainConf& main)
    : zone_(zone_of(main)), lead_(zone_ != nullptr ? zone_->health_lead() : own_lead_) {
    for (auto& integration : integrations_of(main)) {
        all_.push_back(std::make_unique<Watched>(std::move(integration)));
        if (zone_ == nullptr) continue;
        Watched& watched = *all_.back();
        const std::string name = watched.integration->kind() + ' ' + watched.integration->name();
        auto* const place =
            cache::place_for(zone_->integrations(), siphash64(zone_->seed(), bytes_of(name)) | 1,
                             monotonic_milliseconds());
        if (place != nullptr) watched.state = place;
    }
}

void HealthWatch::start() {
    if (all_.empty()) return;
    tick();
    ticker_.start(kTick, [] { health_watch->tick(); });
}

void HealthWatch::stop() noexcept {
    ticker_.stop();
    lead_.resign();
}

void HealthWatch::tick() {
    // What an old worker has may be in force nowhere else.
    if (ngx_exiting) return lead_.resign();
    for (const auto& watched : all_) {
        cache::note_latest(watched->state->seen, monotonic_milliseconds());
        watched->integration->note(*watched->state);
    }
    const bool leads = lead_.held() || lead_.try_take();
    if (leads) lead_.beat();
    // What the others do not see each worker judges for itself.
    for (const auto& watched : all_) {
        if (!leads && watched->is_shared()) continue;
        settle(*watched, watched->integration->judge(*watched->state));
        if (const auto told = watched->changes.take(ngx_current_msec)) tell(*watched, *told);
    }
}

// Whoever exchanges the old state for the new one counts it, and tells of it.
void HealthWatch::settle(Watched& watched, const Health& health) {
    std::uint64_t word = watched.state->judged.load();
    const HealthState before = state_in(word);
    // What was known before a reload stands until more is known.
    if (health.state == HealthState::kStarting) return;
    if (health.reason != watched.told || health.state != before) {
        watched.told = health.reason;
        watched.state->reason.write(health.reason);
    }
    if (health.state == before) return;
    if (!watched.state->judged.compare_exchange_strong(word, word_of(health.state, ngx_time()))) {
        return;
    }
    // That all is well in the beginning is no news.
    if (before == HealthState::kStarting && health.state == HealthState::kConnected) return;
    // Where each worker judges for itself, one of them speaks.
    if (!watched.is_shared() && ngx_worker != 0) return;
    count(watched, health.state);
    watched.changes.changed(before, health.state);
}

void HealthWatch::count(const Watched& watched, HealthState now) {
    if (zone_ == nullptr) return;
    const WatchedIntegration& integration = *watched.integration;
    const std::string series = policy::integration_change_series(
        integration.kind(), integration.name(), policy::name_of(now));
    zone_->counters.add(zone_->counters.series(siphash64(zone_->seed(), bytes_of(series)), series),
                        static_cast<unsigned>(ngx_worker));
}

void HealthWatch::tell(const Watched& watched, const policy::ChangeDamper::Told& change) {
    const WatchedIntegration& integration = *watched.integration;
    ngx_uint_t level = NGX_LOG_NOTICE;
    if (policy::is_worse(change.now, change.before)) level = NGX_LOG_WARN;
    if (change.now == HealthState::kDisconnected) level = NGX_LOG_ERR;
    std::string text = "gate: " + integration.kind() + " \"" +
                       log_escaped(integration.name(), 200) + "\" was " +
                       std::string(policy::name_of(change.before)) + " and is " +
                       std::string(policy::name_of(change.now));
    if (!watched.told.empty()) text += ": " + watched.told;
    if (change.left_out > 0) {
        text += " (" + std::to_string(change.left_out) + " changes in between)";
    }
    const ngx_str_t line = str(text);
    ngx_log_error(level, ngx_cycle->log, 0, "%V", &line);
}

std::vector<policy::Integration> HealthWatch::integrations() const {
    std::vector<policy::Integration> all;
    for (const auto& watched : all_) {
        const WatchedIntegration& integration = *watched->integration;
        const std::uint64_t word = watched->state->judged.load();
        const HealthState state = state_in(word);
        all.push_back({.kind = integration.kind(),
                       .name = integration.name(),
                       .health = {state, watched->state->reason.read()},
                       .since = since_in(word),
                       .where = integration.where()});
    }
    return all;
}

}  // namespace

void start_health_watch(const MainConf& main) {
    health_watch = new HealthWatch(main);
    health_watch->start();
}

void stop_health_watch() noexcept {
    if (health_watch == nullptr) return;
    health_watch->stop();
    delete health_watch;
    health_watch = nullptr;
}

policy::HealthReport health_report() {
    const auto* const cycle = const_cast<const ngx_cycle_t*>(ngx_cycle);
    policy::HealthReport report{.version = kVersion,
                                .shared = false,
                                .now = ngx_time(),
                                .main_file = view(cycle->conf_file),
                                .integrations = {}};
    if (health_watch == nullptr) return report;
    report.shared = health_watch->shared();
    report.integrations = health_watch->integrations();
    return report;
}

}  // namespace gate::nginx
