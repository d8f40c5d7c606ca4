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

namespace gate::policy {

// Octets of a label's value at most, after escaping: with three of them the text of a series fits
// into its place in the zone. Longer ones are cut.
inline constexpr std::size_t kMaxLabelValue = 64;

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

// Of a gate_redis block: what became of a question (answered, error, timeout, closed, overflow), an
// answer that took longer than so many seconds ("0.001", as it stands in the label), and what
// happened to a connection (up, lost, failed).
std::string redis_question_series(std::string_view redis, std::string_view outcome);
std::string redis_slower_series(std::string_view redis, std::string_view seconds);
std::string redis_connection_series(std::string_view redis, std::string_view server,
                                    std::string_view event);

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

struct MetricsInput {
    std::string_view version;
    std::uint64_t zone_bytes = 0;
    std::vector<MetricsSegment> segments;
    bool revocations_overflowed = false;
    std::optional<double> revocation_lag;  // seconds; nullopt: no revocations are followed
    std::vector<MetricsSeries> series;     // in any order; of families not known here: left out
};

inline constexpr std::string_view kPrometheusType = "text/plain; version=0.0.4; charset=utf-8";

std::string metrics_as_prometheus(const MetricsInput& input);

// {"version":..,"zone":{"bytes":..,"segments":{name:{"slots":..,"used":..}}},
//  "revocations":{"overflowed":..,"lag_seconds":..},
//  "counters":{family:[{"labels":{..},"value":..}]}}
std::string metrics_as_json(const MetricsInput& input);

}  // namespace gate::policy
