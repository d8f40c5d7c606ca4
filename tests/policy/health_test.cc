#include "policy/health.h"

#include <gtest/gtest.h>

namespace gate::policy {
namespace {

constexpr std::uint64_t kMinute = 60'000;

std::string told(const Health& health) {
    return std::string(name_of(health.state)) + (health.reason.empty() ? "" : " ") + health.reason;
}

RedisFacts good_redis() {
    return {
        .ready = 100, .answer = 2000, .failure = std::nullopt, .uptime = kMinute, .problem = {}};
}

TEST(HealthState, IsWorseThanWhatWasKnownOrHopedFor) {
    using enum HealthState;
    EXPECT_TRUE(is_worse(kDegraded, kConnected));
    EXPECT_TRUE(is_worse(kDegraded, kStarting));
    EXPECT_TRUE(is_worse(kDisconnected, kDegraded));
    EXPECT_FALSE(is_worse(kDegraded, kDisconnected));
    EXPECT_FALSE(is_worse(kConnected, kStarting));
    EXPECT_FALSE(is_worse(kConnected, kConnected));
}

TEST(HealthOfRedis, IsConnectedWhereItAnswersAndNothingFailed) {
    EXPECT_EQ(told(health_of_redis(good_redis())), "connected");
    RedisFacts facts = good_redis();
    facts.failure = kFailureLife + 1;
    facts.problem = "long ago";
    EXPECT_EQ(told(health_of_redis(facts)), "connected");
    facts.ready = kFactLife;
    facts.answer = kAnswerDue;
    EXPECT_EQ(told(health_of_redis(facts)), "connected");
}

TEST(HealthOfRedis, IsDegradedForAMinuteAfterAFailure) {
    RedisFacts facts = good_redis();
    facts.failure = kFailureLife;
    EXPECT_EQ(told(health_of_redis(facts)),
              "degraded a question or a connection failed within the last minute");
    facts.problem = "no answer within timeout";
    EXPECT_EQ(told(health_of_redis(facts)),
              "degraded a question or a connection failed within the last minute: no answer within "
              "timeout");
}

TEST(HealthOfRedis, IsDegradedWhereAnAnswerIsOverdue) {
    RedisFacts facts = good_redis();
    facts.answer = kAnswerDue + 200;
    EXPECT_EQ(told(health_of_redis(facts)), "degraded no answer for 5.2s");
    facts.answer_due = 10'000;
    EXPECT_EQ(told(health_of_redis(facts)), "connected");
    facts.answer.reset();
    EXPECT_EQ(told(health_of_redis(facts)), "degraded no answer for 60.0s");
}

TEST(HealthOfRedis, IsDisconnectedWhereNoWorkerHasAConnection) {
    RedisFacts facts = good_redis();
    facts.ready = kFactLife + 1;
    EXPECT_EQ(told(health_of_redis(facts)), "disconnected no connection");
    facts.ready.reset();
    facts.problem = "connect() failed: Connection refused";
    EXPECT_EQ(told(health_of_redis(facts)),
              "disconnected no connection: connect() failed: Connection refused");
}

TEST(HealthOfRedis, IsNotKnownUntilAConnectionWasMadeOrFailed) {
    RedisFacts facts;
    facts.uptime = kStartingTime - 1;
    EXPECT_EQ(told(health_of_redis(facts)), "starting");
    facts.failure = facts.uptime + 1;  // before a reload
    EXPECT_EQ(told(health_of_redis(facts)), "starting");
    facts.failure = 10;
    EXPECT_EQ(told(health_of_redis(facts)), "disconnected no connection");
    facts.failure.reset();
    facts.uptime = kStartingTime;
    EXPECT_EQ(told(health_of_redis(facts)), "disconnected no connection");
}

TEST(HealthOfFollowed, GoesByTheLag) {
    FollowedFacts facts{.lag = 0, .max_lag = 30'000};
    EXPECT_EQ(told(health_of_followed(facts)), "connected");
    facts.lag = 1500;
    EXPECT_EQ(told(health_of_followed(facts)), "connected");
    facts.lag = 1501;
    EXPECT_EQ(told(health_of_followed(facts)), "degraded last known to be complete 1.5s ago");
    facts.lag = 30'000;
    EXPECT_EQ(told(health_of_followed(facts)), "degraded last known to be complete 30.0s ago");
    facts.lag = 30'001;
    EXPECT_EQ(told(health_of_followed(facts)),
              "disconnected last known to be complete 30.0s ago, which is more than max_lag");
    facts.serve_when_late = true;
    EXPECT_EQ(told(health_of_followed(facts)), "degraded last known to be complete 30.0s ago");
}

TEST(HealthOfFollowed, IsDisconnectedWhereNotAllCanBeKnown) {
    FollowedFacts facts{.lag = 0, .max_lag = 30'000, .serve_when_late = true, .overflowed = true};
    EXPECT_EQ(told(health_of_followed(facts)),
              "disconnected the zone has no room for all that is revoked");
    facts.overflowed = false;
    facts.lag.reset();
    facts.uptime = kStartingTime - 1;
    EXPECT_EQ(told(health_of_followed(facts)), "starting");
    facts.uptime = kStartingTime;
    EXPECT_EQ(told(health_of_followed(facts)), "disconnected never read in full");
}

TEST(HealthOfFiles, GoesByWhatWorkersHadToKeep) {
    EXPECT_EQ(told(health_of_files({})), "connected");
    EXPECT_EQ(told(health_of_files({.stale = kFactLife + 1, .problem = {}})), "connected");
    EXPECT_EQ(told(health_of_files({.stale = kFactLife, .problem = {}})),
              "degraded what was good last stays in force");
    EXPECT_EQ(told(health_of_files({.stale = 0, .problem = "\"f\": it is no JSON"})),
              "degraded what was good last stays in force: \"f\": it is no JSON");
    EXPECT_EQ(told(health_of_files({.withdrawn = 0, .stale = 0, .problem = {}})),
              "disconnected a worker has nothing of it in force");
    EXPECT_EQ(told(health_of_files({.withdrawn = kFactLife + 1, .problem = {}})), "connected");
}

TEST(Health, IsTheWorseOfTwo) {
    const Health good{HealthState::kConnected};
    const Health fair{HealthState::kDegraded, "fair"};
    const Health bad{HealthState::kDisconnected, "bad"};
    EXPECT_EQ(told(worse_of(good, fair)), "degraded fair");
    EXPECT_EQ(told(worse_of(bad, fair)), "disconnected bad");
    EXPECT_EQ(told(worse_of(good, good)), "connected");
    EXPECT_EQ(told(worse_of(fair, Health{})), "starting");
    EXPECT_EQ(told(worse_of(Health{}, bad)), "disconnected bad");
}

HealthReport report_of(std::vector<Integration> integrations) {
    return {.version = "1.2.3",
            .shared = true,
            .now = 1'764'000'100,
            .main_file = "/etc/nginx/nginx.conf",
            .integrations = std::move(integrations)};
}

TEST(HealthReport, IsReadyUnlessSomethingIsDisconnectedOrNotKnown) {
    EXPECT_TRUE(is_ready(report_of({})));
    for (const auto& [state, ready] :
         {std::pair{HealthState::kConnected, true}, std::pair{HealthState::kDegraded, true},
          std::pair{HealthState::kStarting, false}, std::pair{HealthState::kDisconnected, false}}) {
        const auto report = report_of(
            {{"issuer", "a", {HealthState::kConnected}, 0, {}}, {"redis", "b", {state}, 0, {}}});
        EXPECT_EQ(is_ready(report), ready) << name_of(state);
    }
}

TEST(HealthText, JsonFormIsExact) {
    EXPECT_EQ(health_as_json(report_of(
                  {{"issuer", "corp", {HealthState::kConnected}, 0, "nginx.conf:3"},
                   {"redis", "main", {HealthState::kDegraded, "why"}, 1'764'000'000, "r:1"},
                   {"keys", "a", {HealthState::kStarting}, 0, ""}})),
              R"({"version":"1.2.3","time":"2025-11-24T16:01:40Z","ready":false,"known_by":"node",)"
              R"("integrations":[)"
              R"({"integration":"redis","name":"main","state":"degraded",)"
              R"("since":"2025-11-24T16:00:00Z","reason":"why","where":"r:1"},)"
              R"({"integration":"revocation","name":"","state":"not_configured","reason":"",)"
              R"("where":""},)"
              R"({"integration":"issuer","name":"corp","state":"connected","reason":"",)"
              R"("where":"nginx.conf:3"},)"
              R"({"integration":"keys","name":"a","state":"starting","reason":"","where":""},)"
              R"({"integration":"users","name":"","state":"not_configured","reason":"",)"
              R"("where":""}]})"
              "\n");
}

TEST(HealthText, PageEscapesWhateverStandsInIt) {
    const std::string evil = "<script>alert('x')<script>&\"";
    const std::string page = health_as_html(
        report_of({{evil, evil, {HealthState::kDisconnected, evil}, 1'764'000'000, evil}}));
    EXPECT_EQ(page.find("<script"), std::string::npos);
    // Integrations of no known kind are not shown.
    const std::string shown = health_as_html(
        report_of({{"redis", evil, {HealthState::kDisconnected, evil}, 1'764'000'000, evil}}));
    EXPECT_EQ(shown.find("<script"), std::string::npos);
    std::size_t count = 0;
    const std::string escaped = "&lt;script&gt;alert(&#39;x&#39;)&lt;script&gt;&amp;&quot;";
    for (std::size_t at = 0; (at = shown.find(escaped, at)) != std::string::npos; ++at) ++count;
    EXPECT_EQ(count, 3U);  // name, reason, where
}

TEST(HealthText, PageLoadsNothingFromElsewhere) {
    const std::string page = health_as_html(report_of({}));
    for (const char* word : {"src=", "href=", "url(", "@import", "http:", "https:", "<script"}) {
        EXPECT_EQ(page.find(word), std::string::npos) << word;
    }
    EXPECT_NE(page.find("Not configured"), std::string::npos);
}

TEST(HealthText, PageSaysHowThingsAre) {
    const auto page = [](HealthState state) {
        return health_as_html(report_of({{"redis", "main", {state}, 1'764'000'000, ""}}));
    };
    EXPECT_NE(page(HealthState::kConnected).find("Ready.</strong>"), std::string::npos);
    EXPECT_NE(page(HealthState::kDegraded).find("Ready,</strong> but"), std::string::npos);
    EXPECT_NE(page(HealthState::kDisconnected).find("Not ready:</strong>"), std::string::npos);
    EXPECT_NE(page(HealthState::kStarting).find("Not ready:</strong>"), std::string::npos);
    EXPECT_NE(page(HealthState::kConnected).find(">100 s</time>"), std::string::npos);
    HealthReport alone = report_of({});
    alone.shared = false;
    EXPECT_NE(health_as_html(alone).find("the worker that answered"), std::string::npos);
}

TEST(HealthText, PageLeavesOutTheDirectoryOfTheConfiguration) {
    const std::string page = health_as_html(
        report_of({{"redis", "main", {HealthState::kConnected}, 0, "/etc/nginx/gate/redis.conf:3"},
                   {"revocation", "file=/a/b", {HealthState::kConnected}, 0, "/other/f:4"}}));
    EXPECT_NE(page.find("<small>gate/<wbr>redis.conf:3</small>"), std::string::npos);
    EXPECT_NE(page.find("<small>/<wbr>other/<wbr>f:4</small>"), std::string::npos);
    EXPECT_NE(page.find("<code>file=/<wbr>a/<wbr>b</code>"), std::string::npos);
}

TEST(HealthText, PageRoundsTimes) {
    const auto shown = [](std::int64_t passed) {
        auto report = report_of({{"redis", "main", {HealthState::kConnected}, 1000, ""}});
        report.now = 1000 + passed;
        const std::string page = health_as_html(report);
        const std::size_t end = page.find("</time>");
        const std::size_t begin = page.rfind('>', end) + 1;
        return page.substr(begin, end - begin);
    };
    EXPECT_EQ(shown(-5), "0 s");
    EXPECT_EQ(shown(119), "119 s");
    EXPECT_EQ(shown(120), "2 min");
    EXPECT_EQ(shown(7199), "119 min");
    EXPECT_EQ(shown(7200), "2 h");
    EXPECT_EQ(shown(172'799), "47 h");
    EXPECT_EQ(shown(172'800), "2 days");
}

}  // namespace
}  // namespace gate::policy
