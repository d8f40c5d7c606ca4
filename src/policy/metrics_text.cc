#include "policy/metrics_text.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/json_object.h"
#include "base/json_text.h"
#include "policy/metrics_redis.h"

namespace gate::policy {
namespace {

struct Family {
    std::string_view name;  // as in a series' text
    std::string_view metric;
    std::string_view help;
};

constexpr Family kFamilies[] = {
    {"decisions", "nginx_gate_decisions_total", "Requests that a gate has decided, once each."},
    {"redis_questions", "nginx_gate_redis_questions_total",
     "Questions to Redis by what became of them."},
    {"redis_connections", "nginx_gate_redis_connections_total",
     "Connections to Redis servers that were made, lost or not to be had."},
    {"integration_changes", "nginx_gate_integration_changes_total",
     "Changes of the state of what the gate depends on."},
    {"overflow", "nginx_gate_series_overflow_total",
     "Events not counted elsewhere because the zone has no room for more series."},
};

struct Sample {
    std::string_view labels;
    std::uint64_t value = 0;
};

// The samples of a family in the order of their labels. Series with the same labels, which a
// scraper would reject as a whole, become one.
std::vector<Sample> samples_of(const MetricsInput& input, std::string_view family) {
    std::vector<Sample> samples;
    for (const MetricsSeries& series : input.series) {
        const auto [name, labels] = split_series(series.text);
        if (name == family) samples.push_back({labels, series.value});
    }
    std::ranges::sort(samples, {}, &Sample::labels);
    std::vector<Sample> merged;
    for (const Sample& sample : samples) {
        if (!merged.empty() && merged.back().labels == sample.labels) {
            merged.back().value += sample.value;
        } else {
            merged.push_back(sample);
        }
    }
    return merged;
}

void append_segments(std::string& out, const MetricsInput& input, std::string_view metric,
                     std::string_view help, std::uint64_t MetricsSegment::*field) {
    begin_family(out, metric, "gauge", help);
    for (const MetricsSegment& segment : input.segments) {
        out.append(metric).append("{segment=\"").append(escaped_value(segment.name));
        out.append("\"} ");
        append_number(out, segment.*field);
        out += '\n';
    }
}

void append_gauges(std::string& out, const MetricsInput& input) {
    begin_family(out, "nginx_gate_build_info", "gauge", "The module's version; always 1.");
    out.append("nginx_gate_build_info{version=\"").append(escaped_value(input.version));
    out.append("\"} 1\n");
    begin_family(out, "nginx_gate_zone_bytes", "gauge", "Size of the gate's shared memory.");
    out.append("nginx_gate_zone_bytes ");
    append_number(out, input.zone_bytes);
    out += '\n';
    append_segments(out, input, "nginx_gate_zone_slots", "Places in a part of the zone.",
                    &MetricsSegment::slots);
    append_segments(out, input, "nginx_gate_zone_slots_used",
                    "Places in use in a part of the zone, expired entries too.",
                    &MetricsSegment::used);
    begin_family(out, "nginx_gate_revocations_overflowed", "gauge",
                 "1 when a revocation found no room: what is revoked is not known in full.");
    out.append("nginx_gate_revocations_overflowed ");
    out.append(input.revocations_overflowed ? "1\n" : "0\n");
    if (!input.revocation_lag) return;
    begin_family(out, "nginx_gate_revocation_lag_seconds", "gauge",
                 "Time since the revocations in memory were last known to be complete.");
    out += "nginx_gate_revocation_lag_seconds ";
    append_seconds(out, *input.revocation_lag);
    out += '\n';
}

// One series for each state that it may be in, as a StateSet of OpenMetrics. Names that are equal
// once they are cut would be the same series twice: the first one stays.
void append_integrations(std::string& out, const MetricsInput& input) {
    constexpr std::string_view kMetric = "nginx_gate_integration_state";
    begin_family(out, kMetric, "gauge", "1 for the state that it is in.");
    std::set<std::string> written;
    for (const Integration& one : input.integrations) {
        std::string labels = "{";
        append_label(labels, "integration", one.kind);
        append_label(labels, "name", one.name);
        if (!written.insert(labels).second) continue;
        for (const HealthState state : {HealthState::kConnected, HealthState::kDegraded,
                                        HealthState::kStarting, HealthState::kDisconnected}) {
            out.append(kMetric).append(labels);
            append_label(out, "state", name_of(state));
            out += one.health.state == state ? "} 1\n" : "} 0\n";
        }
    }
}

std::string integrations_json(const MetricsInput& input) {
    std::vector<std::string> elements;
    for (const Integration& one : input.integrations) {
        JsonObject object;
        object.text("integration", one.kind).text("name", one.name);
        elements.push_back(object.text("state", name_of(one.health.state)).str());
    }
    return json_array(elements);
}

// One label of `labels`, which is shortened by it; the value unescaped. False at the end, or where
// the text is none of ours.
bool take_label(std::string_view& labels, std::string_view& name, std::string& value) {
    const std::size_t open = labels.find("=\"");
    if (open == std::string_view::npos) return false;
    name = labels.substr(0, open);
    value.clear();
    for (std::size_t i = open + 2; i < labels.size(); ++i) {
        if (labels[i] == '"') {
            labels.remove_prefix(std::min(i + 2, labels.size()));
            return true;
        }
        if (labels[i] == '\\' && i + 1 < labels.size()) {
            ++i;
            value += labels[i] == 'n' ? '\n' : labels[i];
        } else {
            value += labels[i];
        }
    }
    return false;
}

void append_json_sample(std::string& out, const Sample& sample) {
    out += "{\"labels\":{";
    std::string_view rest = sample.labels;
    std::string_view name;
    std::string value;
    for (bool first = true; take_label(rest, name, value); first = false) {
        if (!first) out += ',';
        out.append(json_string(name)).append(":").append(json_string(value));
    }
    out += "},\"value\":";
    append_number(out, sample.value);
    out += '}';
}

void append_json_counters(std::string& out, const MetricsInput& input) {
    out += "\"counters\":{";
    for (bool first = true; const Family& family : kFamilies) {
        if (!std::exchange(first, false)) out += ',';
        out.append("\"").append(family.name).append("\":[");
        for (bool first_sample = true; const Sample& sample : samples_of(input, family.name)) {
            if (!std::exchange(first_sample, false)) out += ',';
            append_json_sample(out, sample);
        }
        out += ']';
    }
    out += '}';
}

}  // namespace

std::string decision_series(const DecisionLabels& labels) {
    return series_text("decisions", {{"server", labels.server},
                                     {"credential", labels.credential},
                                     {"issuer", labels.issuer},
                                     {"store", labels.store},
                                     {"decision", labels.decision},
                                     {"reason", labels.reason},
                                     {"cache", labels.cache}});
}

std::string redis_question_series(std::string_view redis, std::string_view outcome) {
    return series_text("redis_questions", {{"redis", redis}, {"outcome", outcome}});
}

std::string redis_connection_series(std::string_view redis, std::string_view server,
                                    std::string_view event) {
    return series_text("redis_connections",
                       {{"redis", redis}, {"server", server}, {"event", event}});
}

std::string integration_change_series(std::string_view integration, std::string_view name,
                                      std::string_view to) {
    return series_text("integration_changes",
                       {{"integration", integration}, {"name", name}, {"to", to}});
}

std::string metrics_as_prometheus(const MetricsInput& input) {
    std::string out;
    for (const Family& family : kFamilies) {
        const std::vector<Sample> samples = samples_of(input, family.name);
        begin_family(out, family.metric, "counter", family.help);
        for (const Sample& sample : samples) {
            out += family.metric;
            if (!sample.labels.empty()) out.append("{").append(sample.labels).append("}");
            out += ' ';
            append_number(out, sample.value);
            out += '\n';
        }
    }
    append_gauges(out, input);
    append_integrations(out, input);
    append_redis(out, input);
    return out;
}

std::string metrics_as_json(const MetricsInput& input) {
    std::string out = "{\"version\":" + json_string(input.version) + ",\"zone\":{\"bytes\":";
    append_number(out, input.zone_bytes);
    out += ",\"segments\":{";
    for (bool first = true; const MetricsSegment& segment : input.segments) {
        if (!std::exchange(first, false)) out += ',';
        out.append(json_string(segment.name)).append(":{\"slots\":");
        append_number(out, segment.slots);
        out += ",\"used\":";
        append_number(out, segment.used);
        out += '}';
    }
    out += "}},\"revocations\":{\"overflowed\":";
    out += input.revocations_overflowed ? "true" : "false";
    out += ",\"lag_seconds\":";
    if (input.revocation_lag) {
        append_seconds(out, *input.revocation_lag);
    } else {
        out += "null";
    }
    out +=
        "},\"redis\":" + redis_json(input) + ",\"integrations\":" + integrations_json(input) + ",";
    append_json_counters(out, input);
    out += "}\n";
    return out;
}

}  // namespace gate::policy
