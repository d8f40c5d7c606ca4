#include "nginx/metrics.h"

#include <algorithm>
#include <array>

#include "base/version.h"
#include "nginx/bridge.h"
#include "nginx/clock.h"
#include "nginx/compat.h"
#include "nginx/content.h"
#include "nginx/health_watch.h"
#include "nginx/journal_feed.h"
#include "nginx/journal_reader.h"
#include "nginx/redis_counting.h"
#include "nginx/setters.h"
#include "nginx/stream_state.h"
#include "policy/metrics_text.h"

namespace gate::nginx {

namespace {

// Seconds since the journal or store that lags most was known to be applied in full; of a store
// that was never loaded, since the configuration was.
std::optional<double> revocation_lag(const MainConf& main) {
    const ZoneConf& conf = *main.zone;
    std::optional<double> most;
    for (const JournalConf& journal : conf.journals) {
        if (const auto lag = lag_of(conf, journal)) {
            most = std::max(most.value_or(0), static_cast<double>(*lag) / 1000);
        }
    }
    for (const StreamConf& stream : conf.streams) {
        const auto lag = lag_of(conf, stream);
        const double seconds =
            lag ? static_cast<double>(*lag) / 1000 : static_cast<double>(ngx_time() - main.loaded);
        most = std::max(most.value_or(0), seconds);
    }
    return most;
}

policy::MetricsRedis metrics_of(cache::Zone& zone, const RedisConf& conf) {
    policy::MetricsRedis redis{.name = conf.name, .limit = conf.queue, .epoch = {}};
    const cache::RedisState* const state = redis_state(zone, conf.name);
    if (state == nullptr) return redis;
    for (const auto& waiting : state->waiting) {
        redis.waiting = std::max<std::uint64_t>(redis.waiting, waiting.load());
    }
    const std::uint64_t epoch = state->epoch.load();
    if (epoch == 0) return redis;
    std::array<std::uint8_t, 6> octets{};
    for (std::size_t i = 0; i < octets.size(); ++i) {
        octets[i] = static_cast<std::uint8_t>(epoch >> 8 * (octets.size() - 1 - i));
    }
    redis.epoch = to_hex(octets);
    return redis;
}

policy::MetricsInput collect(const MainConf& main) {
    const cache::Zone& zone = *main.zone->zone;
    policy::MetricsInput input;
    input.version = kVersion;
    input.zone_bytes = zone.size();
    input.segments = {
        {"verdicts", zone.verdicts.capacity(), zone.verdicts.occupied()},
        {"records", zone.records.capacity(), zone.records.occupied()},
        {"large_records", zone.large_records.capacity(), zone.large_records.occupied()},
        {"negative", zone.unknown_keys.capacity(), zone.unknown_keys.occupied()},
        {"revocations", zone.revocations.capacity(), zone.revocations.size()},
        {"buckets", zone.buckets.capacity(), zone.buckets.active(monotonic_nanoseconds())},
        {"series", zone.counters.capacity(), zone.counters.used()},
    };
    input.revocations_overflowed = zone.revocations.overflowed();
    input.revocation_lag = revocation_lag(main);
    for (const auto& redis : main.redis)
        input.redis.push_back(metrics_of(*main.zone->zone, *redis));
    input.integrations = health_report().integrations;
    const std::uint32_t size = zone.counters.size();
    for (std::uint32_t series = 0; series < size; ++series) {
        std::string text = zone.counters.labels(series);
        if (!text.empty()) input.series.push_back({std::move(text), zone.counters.value(series)});
    }
    return input;
}

ngx_int_t metrics_handler(ngx_http_request_t* r) noexcept {
    return guard(r, ngx_int_t{NGX_HTTP_INTERNAL_SERVER_ERROR}, [&]() -> ngx_int_t {
        if (const ngx_int_t rc = accept_reading(r); rc != NGX_OK) return rc;
        const MainConf& main = main_conf(r);
        if (zone_of(main) == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
        const policy::MetricsInput input = collect(main);
        if (loc_conf(r).content.metrics == MetricsFormat::kJson) {
            return send_content(r, NGX_HTTP_OK, "application/json", policy::metrics_as_json(input));
        }
        return send_content(r, NGX_HTTP_OK, policy::kPrometheusType,
                            policy::metrics_as_prometheus(input));
    });
}

}  // namespace

bool set_gate_metrics(Directive& directive, LocConf& loc) {
    if (!set_content(directive, loc, metrics_handler)) return false;
    const auto& values = directive.values();
    if (values.empty() || values[0] == "prometheus") return true;
    if (values[0] != "json") return directive.unknown(values[0], "prometheus | json");
    loc.content.metrics = MetricsFormat::kJson;
    return true;
}

bool check_metrics(ngx_conf_t* cf, const MainConf& main) {
    if (main.zone) return true;
    for (const Level& level : main.levels) {
        if (level.conf->content.handler != metrics_handler) continue;
        return fail_at(cf, level.conf->content.where.text(),
                       "\"gate_metrics\" needs shared memory to count in; write \"gate_zone "
                       "gate:64m;\" at http level");
    }
    return true;
}

}  // namespace gate::nginx
