#include "cache/token_bucket.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "base/siphash.h"
#include "tests/support/shared_region.h"

namespace gate::cache {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

// Octets of a whole number of sets.
struct Memory {
    explicit Memory(std::size_t sets) : lines(sets) {}
    struct alignas(64) Line {
        std::byte octets[64] = {};
    };
    std::span<std::byte> bytes() {
        return {reinterpret_cast<std::byte*>(lines.data()), lines.size() * sizeof(Line)};
    }
    std::vector<Line> lines;
};

// Keys as the adapter makes them: spread evenly, never 0.
std::uint64_t key_of(std::uint64_t number) {
    const SipDigest digest =
        siphash128(SipKey{}, {reinterpret_cast<const std::uint8_t*>(&number), sizeof(number)});
    std::uint64_t key = 0;
    for (std::size_t i = 0; i < 8; ++i) key = key << 8 | digest[i];
    return key | 1;
}

TEST(ParseRate, KnowsSecondsMinutesHoursAndDays) {
    EXPECT_EQ(parse_rate("10r/s"), kSecond / 10);
    EXPECT_EQ(parse_rate("90r/m"), 666'666'667U);
    EXPECT_EQ(parse_rate("1000r/h"), 3'600'000'000U);
    EXPECT_EQ(parse_rate("5r/d"), 17'280 * kSecond);
    EXPECT_EQ(parse_rate("1000000r/s"), 1000U);
    EXPECT_EQ(parse_rate("60000000r/m"), 1000U);
}

TEST(ParseRate, RefusesEverythingElse) {
    for (const char* text : {"",
                             "r/s",
                             "0r/s",
                             "00r/s",
                             "010r/s",
                             "10",
                             "10r",
                             "10r/",
                             "10r/w",
                             "10r/S",
                             "10R/s",
                             "+10r/s",
                             "-1r/s",
                             " 10r/s",
                             "10r/s ",
                             "1.5r/s",
                             "1e3r/s",
                             "1000001r/s",
                             "60000001r/m",
                             "18446744073709551616r/d",
                             "99999999999999999999r/s",
                             "10r/ss",
                             "0x10r/s"}) {
        EXPECT_EQ(parse_rate(text), std::nullopt) << text;
    }
}

TEST(TokenBuckets, AreFullAtStartAndRefuseBeyondTheBurst) {
    Memory memory(16);
    TokenBuckets buckets(memory.bytes());
    const Rate rate{.interval = kSecond, .burst = 3};
    const std::uint64_t now = 1000 * kSecond;
    for (std::uint64_t left : {2U, 1U, 0U}) {
        const Charge charge = buckets.charge(7, rate, now);
        EXPECT_TRUE(charge.passed);
        EXPECT_EQ(charge.remaining, left);
        EXPECT_EQ(charge.retry_after, 0U);
        EXPECT_EQ(charge.reset, (3 - left) * kSecond);
    }
    const Charge refused = buckets.charge(7, rate, now + 1);
    EXPECT_FALSE(refused.passed);
    EXPECT_EQ(refused.remaining, 0U);
    EXPECT_EQ(refused.retry_after, kSecond - 1);
    EXPECT_EQ(refused.reset, 3 * kSecond - 1);
    EXPECT_EQ(buckets.active(now), 1U);
    EXPECT_EQ(buckets.active(now + 3 * kSecond), 0U);
}

TEST(TokenBuckets, KeepTheInstantThatRetryAfterNames) {
    Memory memory(16);
    TokenBuckets buckets(memory.bytes());
    const Rate rate{.interval = 333'333'333, .burst = 2};
    std::uint64_t now = 5;
    int refusals = 0;
    for (int i = 0; i < 1000; ++i) {
        const Charge charge = buckets.charge(7, rate, now);
        if (charge.passed) continue;
        ++refusals;
        EXPECT_FALSE(buckets.charge(7, rate, now + charge.retry_after - 1).passed);
        now += charge.retry_after;
        EXPECT_TRUE(buckets.look(7, rate, now).passed);
    }
    EXPECT_GT(refusals, 400);
}

TEST(TokenBuckets, LookChangesNothing) {
    Memory memory(16);
    TokenBuckets buckets(memory.bytes());
    const Rate rate{.interval = kSecond, .burst = 2};
    for (int i = 0; i < 10; ++i) EXPECT_EQ(buckets.look(7, rate, 1).remaining, 1U);
    EXPECT_EQ(buckets.active(1), 0U);
    EXPECT_EQ(buckets.charge(7, rate, 1).remaining, 1U);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(buckets.look(7, rate, 1).remaining, 0U);
    EXPECT_TRUE(buckets.charge(7, rate, 1).passed);
    EXPECT_FALSE(buckets.look(7, rate, 1).passed);
}

TEST(TokenBuckets, RefundUpToAFullBucket) {
    Memory memory(16);
    TokenBuckets buckets(memory.bytes());
    const Rate rate{.interval = kSecond, .burst = 2};
    buckets.refund(7, rate, 1);
    EXPECT_TRUE(buckets.charge(7, rate, 1).passed);
    EXPECT_TRUE(buckets.charge(7, rate, 1).passed);
    EXPECT_FALSE(buckets.charge(7, rate, 1).passed);
    buckets.refund(7, rate, 1);
    EXPECT_TRUE(buckets.charge(7, rate, 1).passed);
    EXPECT_FALSE(buckets.charge(7, rate, 1).passed);
    for (int i = 0; i < 10; ++i) buckets.refund(7, rate, 1);
    EXPECT_EQ(buckets.active(1), 0U);
    EXPECT_EQ(buckets.look(7, rate, 1).remaining, 1U);
}

TEST(TokenBuckets, CountFiveADay) {
    Memory memory(16);
    TokenBuckets buckets(memory.bytes());
    const Rate rate{.interval = *parse_rate("5r/d"), .burst = 5};
    std::uint64_t now = 77 * kSecond;
    int passed = 0;
    for (int minute = 0; minute < 10 * 24 * 60; ++minute, now += 60 * kSecond) {
        if (buckets.charge(7, rate, now).passed) ++passed;
    }
    EXPECT_EQ(passed, 5 + 10 * 5 - 1);  // the last minute begins before the end of the tenth day
}

TEST(TokenBuckets, TakeRatesThatNobodyNeeds) {
    Memory memory(16);
    TokenBuckets buckets(memory.bytes());
    const std::uint64_t most = ~std::uint64_t{0};
    EXPECT_TRUE(buckets.charge(1, {.interval = 0, .burst = 1}, 5).passed);
    EXPECT_TRUE(buckets.charge(2, {.interval = most, .burst = most}, 5).passed);
    EXPECT_FALSE(buckets.charge(2, {.interval = most, .burst = most}, 6).passed);
    for (int i = 0; i < 100; ++i) {
        EXPECT_TRUE(buckets.charge(3, {.interval = 1000, .burst = most}, 5).passed);
    }
    EXPECT_TRUE(buckets.charge(4, {.interval = 1000, .burst = 0}, 5).passed);
    EXPECT_FALSE(buckets.charge(4, {.interval = 1000, .burst = 0}, 5).passed);
}

TEST(TokenBuckets, HoldTheTokensOf146YearsAtMost) {
    Memory memory(16);
    TokenBuckets buckets(memory.bytes());
    const Rate rate{.interval = *parse_rate("1r/d"), .burst = 1'000'000};
    const std::uint64_t most = TokenBuckets::kMaxSpan / rate.interval;
    EXPECT_EQ(most, 53375U);
    for (std::uint64_t left = most; left-- > 0;) {
        const Charge charge = buckets.charge(7, rate, 5);
        ASSERT_TRUE(charge.passed);
        ASSERT_EQ(charge.remaining, left);
    }
    const Charge refused = buckets.charge(7, rate, 5);
    EXPECT_FALSE(refused.passed);
    EXPECT_LT(refused.retry_after, rate.interval);
    EXPECT_TRUE(buckets.look(7, rate, 5 + refused.retry_after).passed);
}

TEST(TokenBuckets, WithoutMemoryRefuse) {
    TokenBuckets buckets(std::span<std::byte>{});
    EXPECT_FALSE(buckets.charge(1, {.interval = 1000, .burst = 5}, 5).passed);
    EXPECT_FALSE(buckets.look(1, {.interval = 1000, .burst = 5}, 5).passed);
    buckets.refund(1, {.interval = 1000, .burst = 5}, 5);
    EXPECT_EQ(buckets.capacity(), 0U);
}

// A clock near its last value, and one that wraps, limit like any other.
TEST(TokenBuckets, SurviveAClockThatWraps) {
    Memory memory(16);
    TokenBuckets buckets(memory.bytes());
    const Rate rate{.interval = kSecond, .burst = 2};
    std::uint64_t now = std::uint64_t{0} - 5 * kSecond + 1;
    int passed = 0;
    for (int i = 0; i < 100; ++i, now += kSecond / 10) {
        if (buckets.charge(7, rate, now).passed) ++passed;
    }
    EXPECT_EQ(passed, 2 + 9);
}

TEST(TokenBuckets, WhatASlowerRateTookCountsAsAnEmptyBucketAtMost) {
    Memory memory(16);
    TokenBuckets buckets(memory.bytes());
    const Rate slow{.interval = 3600 * kSecond, .burst = 1};
    const Rate quick{.interval = kSecond, .burst = 2};
    EXPECT_TRUE(buckets.charge(7, slow, 10).passed);
    const Charge refused = buckets.charge(7, quick, 10);
    EXPECT_FALSE(refused.passed);
    EXPECT_EQ(refused.retry_after, kSecond);
    EXPECT_TRUE(buckets.charge(7, quick, 10 + kSecond).passed);
}

// A process that was stopped between reading the clock and charging comes with an old instant.
TEST(TokenBuckets, AStaleClockRefillsNothing) {
    Memory memory(16);
    TokenBuckets buckets(memory.bytes());
    const Rate rate{.interval = kSecond, .burst = 2};
    const std::uint64_t now = 100 * kSecond;
    EXPECT_TRUE(buckets.charge(7, rate, now).passed);
    EXPECT_TRUE(buckets.charge(7, rate, now).passed);
    for (std::uint64_t lag = 1; lag < 10; ++lag) {
        EXPECT_FALSE(buckets.charge(7, rate, now - lag * kSecond).passed);
        EXPECT_FALSE(buckets.charge(7, rate, now).passed);
    }
}

TEST(TokenBuckets, AFullBucketMakesRoom) {
    Memory memory(1);
    TokenBuckets buckets(memory.bytes());
    const Rate rate{.interval = kSecond, .burst = 1};
    for (std::uint64_t key = 1; key <= 1000; ++key) {
        EXPECT_TRUE(buckets.charge(key, rate, key * kSecond).passed) << key;
        EXPECT_FALSE(buckets.charge(key, rate, key * kSecond).passed) << key;
    }
}

TEST(TokenBuckets, ANewcomerTakesOverTheBucketNearestToFull) {
    Memory memory(1);
    TokenBuckets buckets(memory.bytes());
    const Rate rate{.interval = kSecond, .burst = 4};
    for (std::uint64_t key = 1; key <= 4; ++key) {
        for (std::uint64_t i = 0; i < key; ++i) EXPECT_TRUE(buckets.charge(key, rate, 1).passed);
    }
    // Key 1 took one token; whoever replaces it finds three left.
    EXPECT_EQ(buckets.look(9, rate, 1).remaining, 2U);
    EXPECT_EQ(buckets.charge(9, rate, 1).remaining, 2U);
    EXPECT_FALSE(buckets.look(4, rate, 1).passed);
    EXPECT_EQ(buckets.active(1), 4U);
}

// So a client with many keys gains nothing by crowding out its own buckets.
TEST(TokenBuckets, AFloodOfKeysPassesNoMoreThanThePlacesHold) {
    Memory memory(4);
    TokenBuckets buckets(memory.bytes());
    const Rate rate{.interval = kSecond, .burst = 10};
    int passed = 0;
    for (std::uint64_t i = 0; i < 100'000; ++i) {
        if (buckets.charge(key_of(i), rate, 1).passed) ++passed;
    }
    EXPECT_EQ(passed, 4 * 4 * 10);
}

TEST(TokenBuckets, ActiveIsEstimatedWhereThereAreMany) {
    Memory memory(131072);
    TokenBuckets buckets(memory.bytes());
    const Rate rate{.interval = kSecond, .burst = 1};
    EXPECT_EQ(buckets.active(1), 0U);
    for (std::uint64_t i = 0; i < 100'000; ++i) buckets.charge(key_of(i), rate, 1);
    EXPECT_GT(buckets.active(1), 95'000U);
    EXPECT_LT(buckets.active(1), 105'000U);
    EXPECT_EQ(buckets.active(1 + kSecond), 0U);
}

constexpr std::size_t kKeys = 100;

// Several workers share a clock that they drive together, and try all keys in every step.
struct Race {
    std::atomic<std::uint64_t> step{0};
    std::atomic<std::uint64_t> passed[kKeys] = {};
};

constexpr Rate kRaceRate{.interval = kSecond / 10, .burst = 20};
constexpr std::uint64_t kStep = kSecond / 200;
constexpr std::uint64_t kStart = 12345 * kSecond;

void hammer(Race& race, TokenBuckets buckets, std::uint64_t steps, std::uint64_t first) {
    for (;;) {
        std::uint64_t step = race.step.load();
        if (step > steps) return;
        for (std::size_t i = 0; i < kKeys; ++i) {
            const std::size_t key = (first + i) % kKeys;
            if (buckets.charge(key_of(key), kRaceRate, kStart + step * kStep).passed) {
                race.passed[key].fetch_add(1);
            }
        }
        race.step.compare_exchange_strong(step, step + 1);
    }
}

void expect_exact(const Race& race, std::uint64_t steps) {
    const std::uint64_t expected = kRaceRate.burst + steps * kStep / kRaceRate.interval;
    for (std::size_t key = 0; key < kKeys; ++key) {
        EXPECT_LE(race.passed[key].load(), expected + 1) << key;
        EXPECT_GE(race.passed[key].load() + 1, expected) << key;
    }
}

TEST(TokenBuckets, FourProcessesPassBurstAndRateForEachOfAHundredKeys) {
    constexpr std::size_t kBuckets = 65536;
    test::SharedRegion region(kBuckets + 65536);
    TokenBuckets buckets(region.bytes().subspan(0, kBuckets));
    auto* race = new (region.at<Race>(kBuckets)) Race;
    constexpr std::uint64_t kSteps = 2000;  // 10 s
    std::vector<pid_t> children;
    for (std::uint64_t i = 0; i < 4; ++i) {
        children.push_back(test::fork_child([&, i] {
            hammer(*race, buckets, kSteps, i * 25);
            return 0;
        }));
    }
    for (const pid_t child : children) EXPECT_EQ(test::wait_for_child(child), test::ChildEnd{});
    expect_exact(*race, kSteps);
}

TEST(TokenBuckets, EightThreadsPassBurstAndRateForEachOfAHundredKeys) {
    Memory memory(1024);
    TokenBuckets buckets(memory.bytes());
    Race race;
    constexpr std::uint64_t kSteps = 400;
    std::vector<std::thread> threads;
    for (std::uint64_t i = 0; i < 8; ++i) {
        threads.emplace_back([&, i] { hammer(race, buckets, kSteps, i * 12); });
    }
    for (std::thread& thread : threads) thread.join();
    expect_exact(race, kSteps);
}

// More keys than places, claimed and lost all the time: about as many passes as the places hold,
// and no charge hangs.
TEST(TokenBuckets, ThreadsThatFightForPlacesPassLittleMoreThanThePlacesHold) {
    Memory memory(2);
    TokenBuckets buckets(memory.bytes());
    const Rate rate{.interval = kSecond, .burst = 50};
    std::atomic<int> passed{0};
    std::vector<std::thread> threads;
    for (std::uint64_t worker = 0; worker < 4; ++worker) {
        threads.emplace_back([&, worker] {
            for (std::uint64_t i = 0; i < 20'000; ++i) {
                if (buckets.charge(key_of((i * 7 + worker) % 40), rate, 1).passed) ++passed;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_GE(passed.load(), 8 * 50 * 9 / 10);
    EXPECT_LE(passed.load(), 8 * 50 * 11 / 10);
}

}  // namespace
}  // namespace gate::cache
