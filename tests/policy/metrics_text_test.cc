#include "policy/metrics_text.h"

#include <gtest/gtest.h>
#include <jansson.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <set>
#include <string>

#include "base/reason.h"
#include "cache/counters.h"

namespace gate::policy {
namespace {

MetricsInput sample_input() {
    return {.version = "1.2.3",
            .zone_bytes = 67108864,
            .segments = {{"verdicts", 400000, 17}, {"buckets", 4096, 0}},
            .revocations_overflowed = false,
            .revocation_lag = 0.25,
            .series = {{"overflow ", 3},
                       {decision_series({.server = "b",
                                         .credential = "key",
                                         .issuer = "",
                                         .store = "partner",
                                         .decision = "denied",
                                         .reason = "key_unknown",
                                         .cache = "miss"}),
                        7},
                       {decision_series({.server = "a",
                                         .credential = "jwt",
                                         .issuer = "corp",
                                         .store = "",
                                         .decision = "passed",
                                         .reason = "",
                                         .cache = "hit"}),
                        18446744073709551615U},
                       {redis_question_series("main", "timeout"), 2},
                       {redis_slower_series("main", "0.005"), 4},
                       {redis_connection_series("main", "127.0.0.1:6379", "up"), 5}}};
}

TEST(MetricsText, PrometheusFormIsExact) {
    EXPECT_EQ(metrics_as_prometheus(sample_input()),
              R"(# HELP nginx_gate_decisions_total Requests that a gate has decided, once each.
# TYPE nginx_gate_decisions_total counter
nginx_gate_decisions_total{server="a",credential="jwt",issuer="corp",store="",decision="passed",reason="",cache="hit"} 18446744073709551615
nginx_gate_decisions_total{server="b",credential="key",issuer="",store="partner",decision="denied",reason="key_unknown",cache="miss"} 7
# HELP nginx_gate_redis_questions_total Questions to Redis by what became of them.
# TYPE nginx_gate_redis_questions_total counter
nginx_gate_redis_questions_total{redis="main",outcome="timeout"} 2
# HELP nginx_gate_redis_slower_total Answers of Redis that took longer than so many seconds.
# TYPE nginx_gate_redis_slower_total counter
nginx_gate_redis_slower_total{redis="main",than="0.005"} 4
# HELP nginx_gate_redis_connections_total Connections to Redis servers that were made, lost or not to be had.
# TYPE nginx_gate_redis_connections_total counter
nginx_gate_redis_connections_total{redis="main",server="127.0.0.1:6379",event="up"} 5
# HELP nginx_gate_series_overflow_total Events not counted elsewhere because the zone has no room for more series.
# TYPE nginx_gate_series_overflow_total counter
nginx_gate_series_overflow_total 3
# HELP nginx_gate_build_info The module's version; always 1.
# TYPE nginx_gate_build_info gauge
nginx_gate_build_info{version="1.2.3"} 1
# HELP nginx_gate_zone_bytes Size of the gate's shared memory.
# TYPE nginx_gate_zone_bytes gauge
nginx_gate_zone_bytes 67108864
# HELP nginx_gate_zone_slots Places in a part of the zone.
# TYPE nginx_gate_zone_slots gauge
nginx_gate_zone_slots{segment="verdicts"} 400000
nginx_gate_zone_slots{segment="buckets"} 4096
# HELP nginx_gate_zone_slots_used Places in use in a part of the zone, expired entries too.
# TYPE nginx_gate_zone_slots_used gauge
nginx_gate_zone_slots_used{segment="verdicts"} 17
nginx_gate_zone_slots_used{segment="buckets"} 0
# HELP nginx_gate_revocations_overflowed 1 when a revocation found no room: what is revoked is not known in full.
# TYPE nginx_gate_revocations_overflowed gauge
nginx_gate_revocations_overflowed 0
# HELP nginx_gate_revocation_lag_seconds Time since the revocations in memory were last known to be complete.
# TYPE nginx_gate_revocation_lag_seconds gauge
nginx_gate_revocation_lag_seconds 0.250
)");
}

TEST(MetricsText, JsonFormIsExact) {
    EXPECT_EQ(metrics_as_json(sample_input()),
              R"({"version":"1.2.3","zone":{"bytes":67108864,"segments":{)"
              R"("verdicts":{"slots":400000,"used":17},"buckets":{"slots":4096,"used":0}}},)"
              R"("revocations":{"overflowed":false,"lag_seconds":0.250},)"
              R"("counters":{"decisions":[)"
              R"({"labels":{"server":"a","credential":"jwt","issuer":"corp","store":"",)"
              R"("decision":"passed","reason":"","cache":"hit"},"value":18446744073709551615},)"
              R"({"labels":{"server":"b","credential":"key","issuer":"","store":"partner",)"
              R"("decision":"denied","reason":"key_unknown","cache":"miss"},"value":7}],)"
              R"("redis_questions":[{"labels":{"redis":"main","outcome":"timeout"},"value":2}],)"
              R"("redis_slower":[{"labels":{"redis":"main","than":"0.005"},"value":4}],)"
              R"("redis_connections":[{"labels":{"redis":"main","server":"127.0.0.1:6379",)"
              R"("event":"up"},"value":5}],)"
              R"("overflow":[{"labels":{},"value":3}]}})"
              "\n");
}

TEST(MetricsText, WithoutRevocationsThereIsNoLag) {
    MetricsInput input = sample_input();
    input.revocation_lag.reset();
    input.revocations_overflowed = true;
    const std::string text = metrics_as_prometheus(input);
    EXPECT_EQ(text.find("lag_seconds"), std::string::npos);
    EXPECT_NE(text.find("\nnginx_gate_revocations_overflowed 1\n"), std::string::npos);
    EXPECT_NE(metrics_as_json(input).find(R"("overflowed":true,"lag_seconds":null})"),
              std::string::npos);
}

TEST(MetricsText, SeriesOfAnUnknownFamilyAreLeftOut) {
    MetricsInput input = sample_input();
    input.series = {{"", 1}, {"other a=\"b\"", 2}, {"decisionsx ", 3}, {"overflow", 4}};
    const std::string text = metrics_as_prometheus(input);
    EXPECT_EQ(text.find("other"), std::string::npos);
    EXPECT_EQ(text.find("decisionsx"), std::string::npos);
    EXPECT_NE(text.find("nginx_gate_series_overflow_total 4\n"), std::string::npos);
}

TEST(MetricsText, SeriesWithTheSameLabelsBecomeOne) {
    MetricsInput input = sample_input();
    input.series.push_back(input.series[1]);
    const std::string text = metrics_as_prometheus(input);
    EXPECT_NE(text.find("reason=\"key_unknown\",cache=\"miss\"} 14\n"), std::string::npos);
    EXPECT_EQ(text.find("} 7\n"), std::string::npos);
}

TEST(DecisionSeries, EscapesAsPrometheusDoes) {
    const std::string text = decision_series({.server = "a\"b\\c\nd", .issuer = "\xc3\xa9"});
    EXPECT_EQ(text,
              "decisions server=\"a\\\"b\\\\c\\nd\",credential=\"\",issuer=\"\xc3\xa9\",store=\"\","
              "decision=\"\",reason=\"\",cache=\"\"");
}

std::string server_label(std::string_view server) {
    const std::string text = decision_series({.server = server});
    const std::size_t begin = text.find('"') + 1;
    return text.substr(begin, text.find("\",credential") - begin);
}

TEST(DecisionSeries, CutsLongNamesBetweenCharacters) {
    EXPECT_EQ(server_label(std::string(64, 'x')), std::string(64, 'x'));
    EXPECT_EQ(server_label(std::string(65, 'x')), std::string(64, 'x'));
    EXPECT_EQ(server_label(std::string(500, '"')).size(), 64U);
    EXPECT_EQ(server_label(std::string(63, 'x') + "\""), std::string(63, 'x'));
    EXPECT_EQ(server_label(std::string(63, 'x') + "\xc3\xa9"), std::string(63, 'x'));
    EXPECT_EQ(server_label(std::string(62, 'x') + "\xc3\xa9"), std::string(62, 'x') + "\xc3\xa9");
    EXPECT_EQ(server_label(std::string(62, 'x') + "\xe2\x82\xac" + "y"), std::string(62, 'x'));
}

// The longest texts there can be have their place in the zone.
TEST(DecisionSeries, FitsWithEveryReason) {
    const std::string name(100, 'n');
    for (std::size_t i = 0; i < kReasonCount; ++i) {
        const std::string text = decision_series({.server = name,
                                                  .credential = "basic",
                                                  .issuer = name,
                                                  .store = name,
                                                  .decision = "skipped",
                                                  .reason = code(static_cast<Reason>(i)),
                                                  .cache = "bypass"});
        EXPECT_LE(text.size(), cache::Counters::kMaxLabels) << text;
    }
}

struct JsonFree {
    void operator()(json_t* json) const { json_decref(json); }
};

TEST(MetricsText, JsonReadsBackWhateverTheLabels) {
    MetricsInput input = sample_input();
    const std::string server = "a\"b\\c\nd\x01";
    input.series = {{decision_series({.server = server, .reason = "exp_past"}), 5},
                    {"decisions server=\"unfinished", 6},
                    {"decisions junk", 7},
                    {"decisions junk\"", 8}};
    const std::string text = metrics_as_json(input);
    json_error_t error;
    const std::unique_ptr<json_t, JsonFree> json(json_loadb(text.data(), text.size(), 0, &error));
    ASSERT_NE(json, nullptr) << error.text << text;
    json_t* decisions = json_object_get(json_object_get(json.get(), "counters"), "decisions");
    ASSERT_EQ(json_array_size(decisions), 4U);
    std::set<std::string> servers;
    for (std::size_t i = 0; i < 4; ++i) {
        json_t* labels = json_object_get(json_array_get(decisions, i), "labels");
        EXPECT_EQ(json_object_size(labels) != 0, json_object_get(labels, "server") != nullptr);
        if (json_t* value = json_object_get(labels, "server")) {
            servers.insert(json_string_value(value));
        }
    }
    EXPECT_EQ(servers, std::set<std::string>{server});
}

// promtool is Prometheus' own judge of names, types and form.
TEST(MetricsText, PassesPromtool) {
    if (std::system("command -v promtool >/dev/null 2>&1") != 0) GTEST_SKIP() << "no promtool";
    const std::string path = testing::TempDir() + "gate-metrics-" + std::to_string(getpid());
    MetricsInput input = sample_input();
    input.series.push_back({decision_series({.server = "a\"b\\c\nd", .reason = "exp_past"}), 5});
    std::ofstream(path) << metrics_as_prometheus(input);
    const std::string command = "promtool check metrics < " + path + " >&2";
    EXPECT_EQ(std::system(command.c_str()), 0);
    std::remove(path.c_str());
}

}  // namespace
}  // namespace gate::policy
