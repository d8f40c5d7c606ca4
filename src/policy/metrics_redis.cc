#include "policy/metrics_redis.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/json_object.h"
#include "policy/metrics_form.h"
#include "policy/metrics_text.h"

namespace gate::policy {

namespace {

struct Bound {
    std::uint64_t microseconds;
    std::string_view seconds;
};
constexpr std::array<Bound, 13> kBounds{{{500, "0.0005"},
                                         {1000, "0.001"},
                                         {2500, "0.0025"},
                                         {5000, "0.005"},
                                         {10'000, "0.01"},
                                         {25'000, "0.025"},
                                         {50'000, "0.05"},
                                         {100'000, "0.1"},
                                         {250'000, "0.25"},
                                         {500'000, "0.5"},
                                         {1'000'000, "1"},
                                         {2'500'000, "2.5"},
                                         {5'000'000, "5"}}};
constexpr std::string_view kInfinite = "+Inf";

constexpr std::string_view kAnswers = "redis_answers";
constexpr std::string_view kAnswerTime = "redis_answer_time";

// A histogram as Prometheus wants it: each bucket holds those before it as well.
struct Histogram {
    std::array<std::uint64_t, kBounds.size() + 1> buckets{};
    std::uint64_t microseconds = 0;

    std::uint64_t count() const noexcept { return buckets.back(); }
    double seconds() const noexcept { return static_cast<double>(microseconds) / 1e6; }
};

std::string_view bound_at(std::size_t i) noexcept {
    return i < kBounds.size() ? kBounds[i].seconds : kInfinite;
}

// By the label of the block: `redis="main"`.
using Histograms = std::map<std::string, Histogram, std::less<>>;

void add_series(Histograms& all, const MetricsSeries& series) {
    const auto [family, labels] = split_series(series.text);
    if (family == kAnswerTime) {
        all[std::string(labels)].microseconds += series.value;
        return;
    }
    constexpr std::string_view kLe = ",le=\"";
    const std::size_t le = labels.rfind(kLe);
    if (family != kAnswers || le == std::string_view::npos || !labels.ends_with('"')) return;
    std::string_view bound = labels.substr(le + kLe.size());
    bound.remove_suffix(1);
    Histogram& histogram = all[std::string(labels.substr(0, le))];
    for (std::size_t i = 0; i < histogram.buckets.size(); ++i) {
        if (bound_at(i) == bound) histogram.buckets[i] += series.value;
    }
}

Histograms histograms_of(const MetricsInput& input) {
    Histograms all;
    for (const MetricsSeries& series : input.series) add_series(all, series);
    for (auto& [labels, histogram] : all) {
        for (std::size_t i = 1; i < histogram.buckets.size(); ++i) {
            histogram.buckets[i] += histogram.buckets[i - 1];
        }
    }
    return all;
}

void append_sample(std::string& out, std::string_view metric, std::string_view labels,
                   std::uint64_t value) {
    out.append(metric).append("{").append(labels).append("} ");
    append_number(out, value);
    out += '\n';
}

void append_answers(std::string& out, const MetricsInput& input) {
    constexpr std::string_view kMetric = "nginx_gate_redis_answer_seconds";
    const Histograms all = histograms_of(input);
    begin_family(out, kMetric, "histogram",
                 "Time from a question to its answer, which may be an error.");
    const std::string name(kMetric);
    for (const auto& [labels, histogram] : all) {
        for (std::size_t i = 0; i < histogram.buckets.size(); ++i) {
            append_sample(out, name + "_bucket", labels + ",le=\"" + std::string(bound_at(i)) + '"',
                          histogram.buckets[i]);
        }
        out.append(kMetric).append("_sum{").append(labels).append("} ");
        append_seconds(out, histogram.seconds(), 6);
        out += '\n';
        append_sample(out, name + "_count", labels, histogram.count());
    }
}

std::string label_of(const MetricsRedis& redis) {
    return "redis=\"" + escaped_value(redis.name) + '"';
}

}  // namespace

std::string_view answer_bucket(std::uint64_t microseconds) noexcept {
    const auto* const found = std::ranges::find_if(
        kBounds, [&](const Bound& bound) { return microseconds <= bound.microseconds; });
    return found == kBounds.end() ? kInfinite : found->seconds;
}

std::string redis_answer_series(std::string_view redis, std::string_view bucket) {
    return series_text(kAnswers, {{"redis", redis}, {"le", bucket}});
}

std::string redis_answer_time_series(std::string_view redis) {
    return series_text(kAnswerTime, {{"redis", redis}});
}

void append_redis(std::string& out, const MetricsInput& input) {
    append_answers(out, input);
    begin_family(out, "nginx_gate_redis_waiting", "gauge",
                 "Questions that wait in the worker that has most of them.");
    for (const MetricsRedis& redis : input.redis) {
        append_sample(out, "nginx_gate_redis_waiting", label_of(redis), redis.waiting);
    }
    begin_family(out, "nginx_gate_redis_waiting_limit", "gauge",
                 "Questions that may wait in a worker.");
    for (const MetricsRedis& redis : input.redis) {
        append_sample(out, "nginx_gate_redis_waiting_limit", label_of(redis), redis.limit);
    }
    begin_family(out, "nginx_gate_redis_epoch_info", "gauge",
                 "Which store it is: the beginning of the SHA-256 of its epoch; always 1.");
    for (const MetricsRedis& redis : input.redis) {
        if (redis.epoch.empty()) continue;
        append_sample(out, "nginx_gate_redis_epoch_info",
                      label_of(redis) + ",epoch=\"" + escaped_value(redis.epoch) + '"', 1);
    }
}

std::string redis_json(const MetricsInput& input) {
    const Histograms histograms = histograms_of(input);
    JsonObject all;
    for (const MetricsRedis& redis : input.redis) {
        const auto found = histograms.find(label_of(redis));
        const Histogram histogram = found == histograms.end() ? Histogram() : found->second;
        JsonObject buckets;
        for (std::size_t i = 0; i < histogram.buckets.size(); ++i) {
            buckets.raw(bound_at(i), std::to_string(histogram.buckets[i]));
        }
        std::string seconds;
        append_seconds(seconds, histogram.seconds(), 6);
        JsonObject answers;
        answers.raw("count", std::to_string(histogram.count())).raw("seconds", seconds);
        JsonObject one;
        one.raw("waiting", std::to_string(redis.waiting));
        one.raw("waiting_limit", std::to_string(redis.limit));
        if (redis.epoch.empty()) {
            one.raw("epoch", "null");
        } else {
            one.text("epoch", redis.epoch);
        }
        all.raw(redis.name, one.raw("answers", answers.raw("buckets", buckets.str()).str()).str());
    }
    return all.str();
}

}  // namespace gate::policy
