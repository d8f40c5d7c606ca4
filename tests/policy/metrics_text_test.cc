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
#include "policy/metrics_redis.h"

namespace gate::policy {
namespace {

MetricsInput sample_input() {
    return {.version = "1.2.3",
            .zone_bytes = 67108864,
            .segments = {{"verdicts", 400000, 17}, {"buckets", 4096, 0}},
            .revocations_overflowed = false,
            .revocation_lag = 0.25,
            .redis = {{.name = "main", .waiting = 3, .limit = 1024, .epoch = "0123456789ab"},
                      {.name = "other", .waiting = 0, .limit = 8, .epoch = ""}},
            .integrations = {{"redis", "main", {HealthState::kDegraded, "why"}, 1, "f:1"}},
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
                       {redis_answer_series("main", answer_bucket(400)), 4},
                       {redis_answer_series("main", answer_bucket(4001)), 2},
                       {redis_answer_series("main", answer_bucket(6'000'000)), 1},
                       {redis_answer_time_series("main"), 6'009'602},
                       {integration_change_series("redis", "main", "degraded"), 6},
                       {redis_connection_series("main", "127.0.0.1:6379", "up"), 5}}};
}

constexpr std::string_view kSampleAsPrometheus =
    R"(# HELP nginx_gate_decisions_total Requests that a gate has decided, once each.
# TYPE nginx_gate_decisions_total counter
nginx_gate_decisions_total{server="a",credential="jwt",issuer="corp",store="",decision="passed",reason="",cache="hit"} 18446744073709551615
nginx_gate_decisions_total{server="b",credential="key",issuer="",store="partner",decision="denied",reason="key_unknown",cache="miss"} 7
# HELP nginx_gate_redis_questions_total Questions to Redis by what became of them.
# TYPE nginx_gate_redis_questions_total counter
nginx_gate_redis_questions_total{redis="main",outcome="timeout"} 2
# HELP nginx_gate_redis_connections_total Connections to Redis servers that were made, lost or not to be had.
# TYPE nginx_gate_redis_connections_total counter
nginx_gate_redis_connections_total{redis="main",server="127.0.0.1:6379",event="up"} 5
# HELP nginx_gate_integration_changes_total Changes of the state of what the gate depends on.
# TYPE nginx_gate_integration_changes_total counter
nginx_gate_integration_changes_total{integration="redis",name="main",to="degraded"} 6
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
# HELP nginx_gate_integration_state 1 for the state that it is in.
# TYPE nginx_gate_integration_state gauge
nginx_gate_integration_state{integration="redis",name="main",state="connected"} 0
nginx_gate_integration_state{integration="redis",name="main",state="degraded"} 1
nginx_gate_integration_state{integration="redis",name="main",state="starting"} 0
nginx_gate_integration_state{integration="redis",name="main",state="disconnected"} 0
# HELP nginx_gate_redis_answer_seconds Time from a question to its answer, which may be an error.
# TYPE nginx_gate_redis_answer_seconds histogram
nginx_gate_redis_answer_seconds_bucket{redis="main",le="0.0005"} 4
nginx_gate_redis_answer_seconds_bucket{redis="main",le="0.001"} 4
nginx_gate_redis_answer_seconds_bucket{redis="main",le="0.0025"} 4
nginx_gate_redis_answer_seconds_bucket{redis="main",le="0.005"} 6
nginx_gate_redis_answer_seconds_bucket{redis="main",le="0.01"} 6
nginx_gate_redis_answer_seconds_bucket{redis="main",le="0.025"} 6
nginx_gate_redis_answer_seconds_bucket{redis="main",le="0.05"} 6
nginx_gate_redis_answer_seconds_bucket{redis="main",le="0.1"} 6
nginx_gate_redis_answer_seconds_bucket{redis="main",le="0.25"} 6
nginx_gate_redis_answer_seconds_bucket{redis="main",le="0.5"} 6
nginx_gate_redis_answer_seconds_bucket{redis="main",le="1"} 6
nginx_gate_redis_answer_seconds_bucket{redis="main",le="2.5"} 6
nginx_gate_redis_answer_seconds_bucket{redis="main",le="5"} 6
nginx_gate_redis_answer_seconds_bucket{redis="main",le="+Inf"} 7
nginx_gate_redis_answer_seconds_sum{redis="main"} 6.009602
nginx_gate_redis_answer_seconds_count{redis="main"} 7
# HELP nginx_gate_redis_waiting Questions that wait in the worker that has most of them.
# TYPE nginx_gate_redis_waiting gauge
nginx_gate_redis_waiting{redis="main"} 3
nginx_gate_redis_waiting{redis="other"} 0
# HELP nginx_gate_redis_waiting_limit Questions that may wait in a worker.
# TYPE nginx_gate_redis_waiting_limit gauge
nginx_gate_redis_waiting_limit{redis="main"} 1024
nginx_gate_redis_waiting_limit{redis="other"} 8
# HELP nginx_gate_redis_epoch_info Which store it is: the beginning of the SHA-256 of its epoch; always 1.
# TYPE nginx_gate_redis_epoch_info gauge
nginx_gate_redis_epoch_info{redis="main",epoch="0123456789ab"} 1
)";

TEST(MetricsText, PrometheusFormIsExact) {
    EXPECT_EQ(metrics_as_prometheus(sample_input()), kSampleAsPrometheus);
}

TEST(MetricsText, JsonFormIsExact) {
    EXPECT_EQ(
        metrics_as_json(sample_input()),
        R"({"version":"1.2.3","zone":{"bytes":67108864,"segments":{)"
        R"("verdicts":{"slots":400000,"used":17},"buckets":{"slots":4096,"used":0}}},)"
        R"("revocations":{"overflowed":false,"lag_seconds":0.250},)"
        R"("redis":{"main":{"waiting":3,"waiting_limit":1024,"epoch":"0123456789ab",)"
        R"("answers":{"count":7,"seconds":6.009602,"buckets":{"0.0005":4,"0.001":4,"0.0025":4,"0.005":6,"0.01":6,"0.025":6,"0.05":6,"0.1":6,"0.25":6,"0.5":6,"1":6,"2.5":6,"5":6,"+Inf":7}}},)"
        R"("other":{"waiting":0,"waiting_limit":8,"epoch":null,)"
        R"("answers":{"count":0,"seconds":0.000000,"buckets":{"0.0005":0,"0.001":0,"0.0025":0,"0.005":0,"0.01":0,"0.025":0,"0.05":0,"0.1":0,"0.25":0,"0.5":0,"1":0,"2.5":0,"5":0,"+Inf":0}}}},)"
        R"("integrations":[{"integration":"redis","name":"main","state":"degraded"}],)"
        R"("counters":{"decisions":[)"
        R"({"labels":{"server":"a","credential":"jwt","issuer":"corp","store":"",)"
        R"("decision":"passed","reason":"","cache":"hit"},"value":18446744073709551615},)"
        R"({"labels":{"server":"b","credential":"key","issuer":"","store":"partner",)"
        R"("decision":"denied","reason":"key_unknown","cache":"miss"},"value":7}],)"
        R"("redis_questions":[{"labels":{"redis":"main","outcome":"timeout"},"value":2}],)"
        R"("redis_connections":[{"labels":{"redis":"main","server":"127.0.0.1:6379",)"
        R"("event":"up"},"value":5}],)"
        R"("integration_changes":[{"labels":{"integration":"redis","name":"main",)"
        R"("to":"degraded"},"value":6}],)"
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
    EXPECT_EQ(text.find("a=\"b\""), std::string::npos);
    EXPECT_EQ(text.find("decisionsx"), std::string::npos);
    EXPECT_NE(text.find("nginx_gate_series_overflow_total 4\n"), std::string::npos);
}

TEST(MetricsText, SeriesWithTheSameLabelsBecomeOne) {
    MetricsInput input = sample_input();
    input.series.push_back(input.series[1]);
    const std::string text = metrics_as_prometheus(input);
    EXPECT_NE(text.find("reason=\"key_unknown\",cache=\"miss\"} 14\n"), std::string::npos);
    EXPECT_EQ(text.find("cache=\"miss\"} 7\n"), std::string::npos);
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

TEST(AnswerBucket, IsTheLeastBoundThatIsMet) {
    EXPECT_EQ(answer_bucket(0), "0.0005");
    EXPECT_EQ(answer_bucket(500), "0.0005");
    EXPECT_EQ(answer_bucket(501), "0.001");
    EXPECT_EQ(answer_bucket(1'000'000), "1");
    EXPECT_EQ(answer_bucket(5'000'000), "5");
    EXPECT_EQ(answer_bucket(5'000'001), "+Inf");
}

TEST(MetricsText, HasEveryFamilyFromTheBeginning) {
    const std::string text = metrics_as_prometheus({});
    for (const char* family : {"integration_state gauge", "integration_changes_total counter",
                               "redis_answer_seconds histogram", "redis_waiting gauge",
                               "redis_waiting_limit gauge", "redis_epoch_info gauge"}) {
        EXPECT_NE(text.find("# TYPE nginx_gate_" + std::string(family)), std::string::npos)
            << family;
    }
}

// What somebody wrote by hand, or a later version did, breaks no histogram.
TEST(MetricsText, AnswersOfNoKnownBucketAreLeftOut) {
    MetricsInput input = sample_input();
    input.series = {{"redis_answers redis=\"a\",le=\"7\"", 5},
                    {"redis_answers redis=\"a\"", 5},
                    {"redis_answers redis=\"a\",le=\"1", 5},
                    {"redis_answers redis=\"a\",le=\"1\"", 2}};
    const std::string text = metrics_as_prometheus(input);
    EXPECT_NE(text.find("_count{redis=\"a\"} 2\n"), std::string::npos);
    EXPECT_EQ(text.find("le=\"7\""), std::string::npos);
}

TEST(MetricsText, IntegrationsWhoseNamesAreCutAlikeAreOneSeries) {
    MetricsInput input = sample_input();
    const std::string path = "file=/" + std::string(100, 'x');
    input.integrations = {{"revocation", path + "1", {HealthState::kConnected}, 0, ""},
                          {"revocation", path + "2", {HealthState::kDegraded}, 0, ""}};
    const std::string text = metrics_as_prometheus(input);
    const std::string series = "state=\"connected\"} ";
    EXPECT_EQ(text.find(series), text.rfind(series));
    EXPECT_NE(metrics_as_json(input).find(path + "2"), std::string::npos);
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
