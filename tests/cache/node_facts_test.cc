#include "cache/node_facts.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "tests/support/test_zone.h"

namespace gate::cache {
namespace {

TEST(SharedText, ReadsWhatWasWritten) {
    SharedText text{};
    EXPECT_EQ(text.read(), "");
    text.write("why");
    EXPECT_EQ(text.read(), "why");
    text.write("");
    EXPECT_EQ(text.read(), "");
    const std::string longest(SharedText::kMaxSize, 'x');
    text.write(longest + "yz");
    EXPECT_EQ(text.read(), longest);
    text.write("short");
    EXPECT_EQ(text.read(), "short");
}

TEST(SharedText, IsNeverTornBetweenTwo) {
    SharedText text{};
    const std::string a(SharedText::kMaxSize, 'a');
    const std::string b(100, 'b');
    std::atomic<bool> done = false;
    std::thread writer([&] {
        for (int i = 0; i < 20'000; ++i) text.write(i % 2 == 0 ? a : b);
        done = true;
    });
    while (!done) {
        const std::string seen = text.read();
        EXPECT_TRUE(seen.empty() || seen == a || seen == b) << seen;
    }
    writer.join();
}

// A writer that dies leaves an odd number.
TEST(SharedText, ReadsAsEmptyBehindAWriterThatDiedUntilTheNextOne) {
    SharedText text{};
    text.write("before");
    auto* const sequence = reinterpret_cast<std::atomic<std::uint64_t>*>(&text);
    sequence->fetch_add(1);
    EXPECT_EQ(text.read(), "");
    text.write("after");
    EXPECT_EQ(text.read(), "after");
}

TEST(NoteLatest, NeverGoesBack) {
    std::atomic<std::uint64_t> at = 5;
    note_latest(at, 7);
    EXPECT_EQ(at, 7U);
    note_latest(at, 6);
    EXPECT_EQ(at, 7U);
}

class Places : public testing::Test {
protected:
    IntegrationState* find(std::uint64_t name, std::uint64_t now) {
        return place_for(zone_->integrations(), name, now);
    }
    test::TestZone zone_;
};

TEST_F(Places, AreFoundAgainByTheirName) {
    IntegrationState* const one = find(11, 1000);
    ASSERT_NE(one, nullptr);
    IntegrationState* const two = find(12, 1000);
    ASSERT_NE(two, nullptr);
    EXPECT_NE(one, two);
    EXPECT_EQ(find(11, 900'000), one);
    EXPECT_EQ(find(12, 900'000), two);
}

TEST_F(Places, GoToNewcomersWhenNobodyHasHadThemForAMinute) {
    for (std::uint64_t i = 0; i < kIntegrations; ++i) ASSERT_NE(find(100 + i, 1000), nullptr);
    EXPECT_EQ(find(7, 1000 + 59'999), nullptr);
    IntegrationState* const kept = find(100, 1000);
    note_latest(kept->seen, 50'000);
    IntegrationState* const old = find(101, 1000);
    old->judged = 5;
    old->stale = 6;
    old->withdrawn = 7;
    old->reason.write("of another");
    IntegrationState* const fresh = find(7, 61'000);
    EXPECT_EQ(fresh, old);
    EXPECT_EQ(fresh->judged + fresh->stale + fresh->withdrawn, 0U);
    EXPECT_EQ(fresh->reason.read(), "");
    EXPECT_EQ(fresh->seen, 61'000U);
    EXPECT_EQ(find(100, 61'000), kept);
    // A clock that is behind takes nothing from anybody.
    EXPECT_EQ(find(8, 40'000), nullptr);
}

TEST_F(Places, OfRedisAreEmptiedForANewcomer) {
    for (std::uint64_t i = 0; i < kRedisStates; ++i) {
        RedisState* const state = place_for(zone_->redis(), 100 + i, 1000);
        ASSERT_NE(state, nullptr);
        for (auto* fact : {&state->ready, &state->answer, &state->failure, &state->filled,
                           &state->empty, &state->epoch}) {
            *fact = 9;
        }
        for (auto& waiting : state->waiting) waiting = 3;
    }
    RedisState* const fresh = place_for(zone_->redis(), 7, 61'000);
    ASSERT_NE(fresh, nullptr);
    EXPECT_EQ(
        fresh->ready + fresh->answer + fresh->failure + fresh->filled + fresh->empty + fresh->epoch,
        0U);
    for (auto& waiting : fresh->waiting) EXPECT_EQ(waiting, 0U);
}

TEST_F(Places, AreClaimedOnceByManyAtATime) {
    constexpr int kThreads = 4;
    std::vector<std::vector<IntegrationState*>> found(kThreads);
    std::vector<std::thread> threads;
    std::atomic<bool> go = false;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, t] {
            while (!go) {
            }
            for (std::uint64_t i = 1; i <= kIntegrations; ++i) {
                found[static_cast<std::size_t>(t)].push_back(
                    place_for(zone_->integrations(), i, 1'000'000));
            }
        });
    }
    go = true;
    for (std::thread& thread : threads) thread.join();
    for (const auto& places : found) EXPECT_EQ(places, found[0]);
}

}  // namespace
}  // namespace gate::cache
