#include "redis/backoff.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <random>
#include <set>

namespace gate::redis {
namespace {

TEST(Backoff, TriesAtOnceInTheBeginning) {
    const Backoff backoff(1000);
    EXPECT_EQ(backoff.delay(0, 7), 0u);
    EXPECT_EQ(backoff.delay(123456, 7), 0u);
}

TEST(Backoff, TriesAtOnceAfterSuccessUnlessTooSoon) {
    Backoff backoff(1000);
    backoff.tried(5000);
    backoff.succeeded();
    EXPECT_EQ(backoff.delay(5000, 999), 1000u);
    EXPECT_EQ(backoff.delay(5400, 999), 600u);
    EXPECT_EQ(backoff.delay(5999, 999), 1u);
    EXPECT_EQ(backoff.delay(6000, 999), 0u);
    EXPECT_EQ(backoff.delay(99999, 999), 0u);
}

TEST(Backoff, AddsUpToAQuarterByChanceAfterFailure) {
    Backoff backoff(1000);
    backoff.tried(5000);
    backoff.failed();
    EXPECT_EQ(backoff.delay(5000, 0), 1000u);
    EXPECT_EQ(backoff.delay(5000, 250), 1250u);
    EXPECT_EQ(backoff.delay(5000, 251), 1000u);
    EXPECT_EQ(backoff.delay(6100, 250), 150u);
    EXPECT_EQ(backoff.delay(6250, 250), 0u);
    std::set<std::uint64_t> delays;
    for (std::uint64_t random = 0; random < 1000; ++random) {
        delays.insert(backoff.delay(5000, random));
    }
    EXPECT_EQ(delays.size(), 251u);
    EXPECT_EQ(*delays.rbegin(), 1250u);
    backoff.succeeded();
    EXPECT_EQ(backoff.delay(5000, 250), 1000u);
}

TEST(Backoff, WaitsTheWholeTimeWhenTheClockGoesBack) {
    Backoff backoff(1000);
    backoff.tried(5000);
    EXPECT_EQ(backoff.delay(10, 0), 1000u);
}

TEST(Backoff, MayBeOff) {
    Backoff backoff(0);
    backoff.tried(5);
    backoff.failed();
    EXPECT_EQ(backoff.delay(5, 77), 0u);
}

// An owner that tries whenever it may, against a server that comes and goes.
TEST(Backoff, NeverTriesTwiceWithinTheLeastTime) {
    std::mt19937_64 random(1);
    for (const std::uint64_t least : {1u, 3u, 100u, 1000u}) {
        Backoff backoff(least);
        std::uint64_t now = 10;
        std::uint64_t last = 0;
        bool failing = false;
        std::size_t jittered = 0;
        for (int i = 0; i < 5000; ++i) {
            // The connection that is there may last for a while.
            if (!failing) now += random() % (3 * least);
            const std::uint64_t wait = backoff.delay(now, random());
            const std::uint64_t behind = now + wait - last;
            if (i > 0) {
                ASSERT_GE(behind, least);
                if (wait > 0) {
                    ASSERT_LE(behind, least + (failing ? least / 4 : 0));
                }
                if (failing && behind > least) ++jittered;
            }
            now += wait;
            last = now;
            backoff.tried(now);
            failing = random() % 3 == 0;
            failing ? backoff.failed() : backoff.succeeded();
        }
        EXPECT_EQ(jittered > 0, least >= 4);
    }
}

}  // namespace
}  // namespace gate::redis
