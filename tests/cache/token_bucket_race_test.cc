// What happens to a bucket between two instructions of a process: races played through by hand at
// the failpoints, and death there.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <utility>

#include "cache/failpoint.h"
#include "cache/token_bucket.h"
#include "cache/words.h"
#include "tests/support/shared_region.h"

#if defined(GATE_FAILPOINTS)

namespace gate::cache {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

std::function<void(std::string_view place)> at_place;

void visit_place(const char* name) {
    if (at_place) at_place(name);
}

// One set whose places a test reads and writes behind the back of the code.
struct OneSet {
    OneSet() : region(4096), buckets(region.bytes().subspan(0, 64)) {
        failpoint_hook = visit_place;
    }
    ~OneSet() {
        failpoint_hook = nullptr;
        at_place = nullptr;
    }
    std::uint64_t key(std::size_t way) const { return load_word(region.at<std::byte>(way * 16)); }
    std::uint64_t full_from(std::size_t way) const {
        return load_word(region.at<std::byte>(way * 16 + 8));
    }
    void put(std::size_t way, std::uint64_t key, std::uint64_t full_from) {
        store_word(region.at<std::byte>(way * 16), key);
        store_word(region.at<std::byte>(way * 16 + 8), full_from);
    }
    // Does `action` at the first visit of the place.
    void once(std::string place, std::function<void()> action) {
        at_place = [place = std::move(place), action = std::move(action),
                    done = false](std::string_view here) mutable {
            if (here != place || done) return;
            done = true;
            action();
        };
    }

    test::SharedRegion region;
    TokenBuckets buckets;
};

constexpr Rate kThree{.interval = kSecond, .burst = 3};
constexpr std::uint64_t kNow = 1000 * kSecond;

TEST(TokenBuckets, OfTwoPlacesForOneKeyTheFirstStaysWithWhatWasCharged) {
    OneSet set;
    set.once("buckets.claim", [&] { set.put(2, 7, kNow + 2 * kSecond); });
    EXPECT_TRUE(set.buckets.charge(7, kThree, kNow).passed);
    EXPECT_EQ(set.key(0), 7U);
    EXPECT_EQ(set.full_from(0), kNow + 3 * kSecond);
    EXPECT_EQ(set.key(2), 0U);
    EXPECT_FALSE(set.buckets.charge(7, kThree, kNow).passed);
}

TEST(TokenBuckets, WhoClaimedTheLaterPlaceGivesItBack) {
    OneSet set;
    set.put(0, 5, kNow + kSecond);
    set.once("buckets.claim", [&] { set.put(0, 7, kNow + 2 * kSecond); });
    EXPECT_TRUE(set.buckets.charge(7, kThree, kNow).passed);
    EXPECT_EQ(set.key(0), 7U);
    EXPECT_EQ(set.full_from(0), kNow + 3 * kSecond);
    EXPECT_EQ(set.key(1), 0U);
}

TEST(TokenBuckets, AChargeThatHitAStrangersBucketGoesBack) {
    OneSet set;
    EXPECT_TRUE(set.buckets.charge(7, kThree, kNow).passed);
    set.once("buckets.charge", [&] { set.put(0, 9, set.full_from(0)); });
    EXPECT_TRUE(set.buckets.charge(7, kThree, kNow).passed);
    EXPECT_EQ(set.key(0), 9U);
    EXPECT_EQ(set.full_from(0), kNow + kSecond);
    EXPECT_EQ(set.key(1), 7U);
    EXPECT_EQ(set.full_from(1), kNow + kSecond);
}

TEST(TokenBuckets, AClaimThatCameTooLateTriesAgain) {
    OneSet set;
    set.once("buckets.claim", [&] { set.put(0, 9, kNow + kSecond); });
    EXPECT_TRUE(set.buckets.charge(7, kThree, kNow).passed);
    EXPECT_EQ(set.key(0), 9U);
    EXPECT_EQ(set.full_from(0), kNow + kSecond);
    EXPECT_EQ(set.key(1), 7U);
}

// What each race looks like in the set when the process dies at the place.
struct Death {
    const char* place;
    std::function<void(OneSet&)> before;  // state and races that lead there
};

TEST(TokenBuckets, AProcessKilledAtAnyStoreCostsATokenAtMost) {
    const auto duplicate = [](OneSet& set) {
        set.once("buckets.claim", [&set] { set.put(2, 7, kNow + kSecond); });
    };
    const auto thief = [](OneSet& set) {
        set.put(0, 7, kNow);
        set.once("buckets.charge", [&set] { set.put(0, 9, set.full_from(0)); });
    };
    const auto nothing = [](OneSet&) {};
    const Death deaths[] = {
        {"buckets.claim", nothing},     {"buckets.charge", nothing}, {"buckets.merge", duplicate},
        {"buckets.release", duplicate}, {"buckets.undo", thief},     {"buckets.refund", nothing},
    };
    for (const Death& death : deaths) {
        OneSet set;
        const pid_t child = test::fork_child([&] {
            death.before(set);
            at_place = [race = at_place, &death](std::string_view here) {
                if (here == death.place) kill(getpid(), SIGKILL);
                if (race) race(here);
            };
            set.buckets.charge(7, kThree, kNow);
            set.buckets.refund(7, kThree, kNow);
            return 0;
        });
        EXPECT_EQ(test::wait_for_child(child).signal, SIGKILL) << death.place;
        int passed = 0;
        for (int i = 0; i < 5; ++i) passed += set.buckets.charge(7, kThree, kNow).passed ? 1 : 0;
        EXPECT_GE(passed, 2) << death.place;
        EXPECT_LE(passed, 3) << death.place;
        EXPECT_FALSE(set.buckets.look(7, kThree, kNow).passed) << death.place;
    }
}

}  // namespace
}  // namespace gate::cache

#endif
