#include "cache/counters.h"

#include <gtest/gtest.h>

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/siphash.h"
#include "cache/failpoint.h"
#include "tests/support/shared_region.h"

namespace gate::cache {
namespace {

std::string labels_of(std::uint64_t number) {
    return "decisions server=\"s" + std::to_string(number) + "\",reason=\"some_reason\"";
}

std::uint64_t digest_of(std::string_view labels) {
    const SipDigest digest =
        siphash128(SipKey{}, {reinterpret_cast<const std::uint8_t*>(labels.data()), labels.size()});
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < 8; ++i) word = word << 8 | digest[i];
    return word;
}

std::uint32_t series_of(Counters& counters, std::string_view labels) {
    return counters.series(digest_of(labels), labels);
}

TEST(Counters, EmptyMemoryHoldsTheOverflowSeriesOnly) {
    test::SharedRegion region(64 * Counters::kSeriesSize);
    Counters counters(region.bytes());
    EXPECT_EQ(counters.capacity(), 64U);
    EXPECT_EQ(counters.size(), 1U);
    EXPECT_EQ(counters.used(), 1U);
    EXPECT_EQ(counters.labels(Counters::kOverflow), Counters::kOverflowLabels);
    EXPECT_EQ(counters.value(Counters::kOverflow), 0U);
    EXPECT_EQ(counters.labels(5), "");
    EXPECT_EQ(counters.labels(64), "");
    EXPECT_EQ(counters.value(64), 0U);
}

TEST(Counters, ASeriesKeepsItsIndexAndItsLabels) {
    test::SharedRegion region(512 * Counters::kSeriesSize);
    Counters counters(region.bytes());
    std::set<std::uint32_t> indexes;
    for (std::uint64_t i = 0; i < 300; ++i) {
        const std::uint32_t index = series_of(counters, labels_of(i));
        EXPECT_NE(index, Counters::kOverflow) << i;
        indexes.insert(index);
        counters.add(index, static_cast<unsigned>(i), i);
    }
    EXPECT_EQ(indexes.size(), 300U);
    EXPECT_EQ(counters.used(), 301U);
    EXPECT_EQ(counters.size(), *indexes.rbegin() + 1);
    Counters other(region.bytes());
    for (std::uint64_t i = 0; i < 300; ++i) {
        const std::uint32_t index = series_of(other, labels_of(i));
        EXPECT_TRUE(indexes.contains(index));
        EXPECT_EQ(other.labels(index), labels_of(i));
        EXPECT_EQ(other.value(index), i);
    }
}

TEST(Counters, SumOverWorkersWhateverTheirNumber) {
    test::SharedRegion region(8 * Counters::kSeriesSize);
    Counters counters(region.bytes());
    const std::uint32_t index = series_of(counters, "a b=\"c\"");
    for (unsigned worker = 0; worker < 3 * Counters::kWorkers; ++worker) {
        counters.add(index, worker, worker);
    }
    EXPECT_EQ(counters.value(index), 47U * 48U / 2U);
    EXPECT_EQ(counters.value(Counters::kOverflow), 0U);
}

TEST(Counters, TakeLabelsOfEveryLengthUpToTheLimit) {
    test::SharedRegion region(512 * Counters::kSeriesSize);
    Counters counters(region.bytes());
    for (std::size_t length = 0; length <= Counters::kMaxLabels; ++length) {
        std::string text(length, 'x');
        if (length > 0) text[length - 1] = 'y';
        const std::uint32_t index = series_of(counters, text);
        EXPECT_NE(index, Counters::kOverflow) << length;
        EXPECT_EQ(counters.labels(index), text);
    }
    const std::string long_text(Counters::kMaxLabels + 1, 'x');
    EXPECT_EQ(series_of(counters, long_text), Counters::kOverflow);
}

TEST(Counters, FullMemoryCountsInTheOverflowSeries) {
    test::SharedRegion region(16 * Counters::kSeriesSize);
    Counters counters(region.bytes());
    std::uint64_t lost = 0;
    for (std::uint64_t i = 0; i < 100; ++i) {
        const std::uint32_t index = series_of(counters, labels_of(i));
        counters.add(index, 3);
        if (index == Counters::kOverflow) ++lost;
    }
    EXPECT_EQ(lost, 100U - 15U);
    EXPECT_EQ(counters.used(), counters.capacity());
    EXPECT_EQ(counters.value(Counters::kOverflow), lost);
    EXPECT_NE(series_of(counters, labels_of(0)), Counters::kOverflow);
}

TEST(Counters, ADigestOfZeroIsOneLikeAnyOther) {
    test::SharedRegion region(16 * Counters::kSeriesSize);
    Counters counters(region.bytes());
    const std::uint32_t index = counters.series(0, "zero ");
    EXPECT_NE(index, Counters::kOverflow);
    EXPECT_EQ(counters.series(0, "zero "), index);
    EXPECT_EQ(counters.labels(index), "zero ");
}

TEST(Counters, WithoutMemoryCountNothing) {
    Counters counters(std::span<std::byte>{});
    EXPECT_EQ(counters.series(5, "a"), Counters::kOverflow);
    counters.add(Counters::kOverflow, 0);
    EXPECT_EQ(counters.value(Counters::kOverflow), 0U);
    EXPECT_EQ(counters.size(), 0U);
    EXPECT_EQ(counters.used(), 0U);
}

constexpr std::uint64_t kRaceSeries = 300;
constexpr std::uint64_t kRaceRounds = 40;

// All racers create the same series, each from another place on.
void count_all(Counters counters, unsigned worker) {
    for (std::uint64_t round = 0; round < kRaceRounds; ++round) {
        for (std::uint64_t i = 0; i < kRaceSeries; ++i) {
            const std::string labels = labels_of((i + worker * 37) % kRaceSeries);
            counters.add(series_of(counters, labels), worker);
        }
    }
}

void expect_sums(Counters& counters, std::uint64_t racers) {
    EXPECT_EQ(counters.used(), kRaceSeries + 1);
    EXPECT_EQ(counters.value(Counters::kOverflow), 0U);
    for (std::uint64_t i = 0; i < kRaceSeries; ++i) {
        const std::uint32_t index = series_of(counters, labels_of(i));
        EXPECT_EQ(counters.labels(index), labels_of(i));
        EXPECT_EQ(counters.value(index), racers * kRaceRounds);
    }
}

TEST(Counters, EightThreadsThatRaceForTheSameSeriesLoseNothing) {
    test::SharedRegion region(512 * Counters::kSeriesSize);
    Counters counters(region.bytes());
    std::atomic<bool> done{false};
    // A reader meets whole labels or none.
    std::thread reader([&] {
        while (!done.load()) {
            for (std::uint32_t index = 1; index < counters.size(); ++index) {
                const std::string labels = counters.labels(index);
                if (labels.empty()) continue;
                ASSERT_EQ(labels.substr(0, 19), "decisions server=\"s");
                ASSERT_EQ(labels.back(), '"');
            }
        }
    });
    std::vector<std::thread> threads;
    for (unsigned worker = 0; worker < 8; ++worker) {
        threads.emplace_back([&, worker] { count_all(counters, worker); });
    }
    for (std::thread& thread : threads) thread.join();
    done = true;
    reader.join();
    expect_sums(counters, 8);
}

TEST(Counters, FourProcessesThatRaceForTheSameSeriesLoseNothing) {
    test::SharedRegion region(512 * Counters::kSeriesSize);
    Counters counters(region.bytes());
    std::vector<pid_t> children;
    for (unsigned worker = 0; worker < 4; ++worker) {
        children.push_back(test::fork_child([&, worker] {
            count_all(counters, worker);
            return 0;
        }));
    }
    for (const pid_t child : children) EXPECT_EQ(test::wait_for_child(child), test::ChildEnd{});
    expect_sums(counters, 4);
}

#if defined(GATE_FAILPOINTS)

std::string fatal_place;
int fatal_visit;

// Dies at the given visit of the place, counted from 0.
void die_at(const char* name) {
    if (fatal_place == name && fatal_visit-- == 0) kill(getpid(), SIGKILL);
}

TEST(Counters, AProcessKilledAtAnyStoreLeavesASeriesThatOthersComplete) {
    const std::string labels = labels_of(1);
    for (const char* place :
         {"counters.claim", "counters.text", "counters.ready", "counters.add"}) {
        for (int visit = 0;; ++visit) {
            test::SharedRegion region(16 * Counters::kSeriesSize);
            Counters counters(region.bytes());
            const pid_t child = test::fork_child([&] {
                fatal_place = place;
                fatal_visit = visit;
                failpoint_hook = die_at;
                counters.add(series_of(counters, labels), 0);
                return 0;
            });
            const bool killed = test::wait_for_child(child).signal == SIGKILL;
            ASSERT_TRUE(killed || visit > 0) << place << " was never visited";
            const std::uint32_t index = series_of(counters, labels);
            ASSERT_NE(index, Counters::kOverflow);
            counters.add(index, 1);
            EXPECT_EQ(counters.labels(index), labels) << place << visit;
            EXPECT_EQ(counters.value(index), killed ? 1U : 2U) << place << visit;
            EXPECT_EQ(counters.used(), 2U);
            if (!killed) break;
        }
    }
}

#endif

}  // namespace
}  // namespace gate::cache
