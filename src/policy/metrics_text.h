// What gate_metrics serves: the counters of a zone and a few gauges, as Prometheus text exposition
// (format 0.0.4) or JSON. Counters are told apart by the text that stands with them in the zone: a
// family, a blank, and labels as Prometheus writes them, so that a new family needs nothing new in
// the zone. docs/METRICS.md lists the families.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/health.h"
#include "policy/metrics_form.h"

namespace gate::policy {

// The labels of nginx_gate_decisions_total. Names come from the configuration, the rest are fixed
// words, "" for what does not apply: no text of a client ever becomes a label.
struct DecisionLabels {
    std::string_view server = {};
    std::string_view credential = {};  // jwt, key, basic, none
    std::string_view issuer = {};
    std::string_view store = {};
    std::string_view decision = {};  // passed, denied, error, dry_run, skipped
    std::string_view reason = {};
    std::string_view cache = {};  // hit, miss, bypass
};

// The text of such a series: `decisions server="a",credential="jwt",..`.
std::string decision_series(const DecisionLabels& labels);

// Of a gate_redis block: what became of a question (answered, error, timeout, closed, overflow),
// and what happened to a connection (up, lost, failed).
std::string redis_question_series(std::string_view redis, std::string_view outcome);
std::string redis_connection_series(std::string_view redis, std::string_view server,
                                    std::string_view event);
// Changes of an integration's state; `to` is the new one.
std::string integration_change_series(std::string_view integration, std::string_view name,
                                      std::string_view to);

struct MetricsSeries {
    std::string text;
    std::uint64_t value = 0;
};

// A part of the zone: places in all and in use.
struct MetricsSegment {
    std::string_view name;
    std::uint64_t slots = 0;
    std::uint64_t used = 0;
};

// A gate_redis block as all workers know it.
struct MetricsRedis {
    std::string_view name;
    std::uint64_t waiting = 0;  // questions, in the worker that has most of them
    std::uint64_t limit = 0;    // of a worker
    std::string epoch;          // what stands for it; empty: not known
};

struct MetricsInput {
    std::string_view version;
    std::uint64_t zone_bytes = 0;
    std::vector<MetricsSegment> segments;
    bool revocations_overflowed = false;
    std::optional<double> revocation_lag;  // seconds; nullopt: no revocations are followed
    std::vector<MetricsRedis> redis;
    std::vector<Integration> integrations;
    std::vector<MetricsSeries> series;  // in any order; of families not known here: left out
};

inline constexpr std::string_view kPrometheusType = "text/plain; version=0.0.4; charset=utf-8";

std::string metrics_as_prometheus(const MetricsInput& input);

// {"version":..,"zone":{"bytes":..,"segments":{name:{"slots":..,"used":..}}},
//  "revocations":{"overflowed":..,"lag_seconds":..},
//  "redis":{name:{"waiting":..,"waiting_limit":..,"epoch":..,"answers":{"count":..,"seconds":..,
//   "buckets":{"0.0005":..}}}},
//  "integrations":[{"integration":..,"name":..,"state":..}],
//  "counters":{family:[{"labels":{..},"value":..}]}}
std::string metrics_as_json(const MetricsInput& input);

}  // namespace gate::policy
