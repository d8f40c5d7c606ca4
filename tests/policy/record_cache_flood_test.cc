// Kept key records under floods, and with writers that die at work.
#include <signal.h>
#include <unistd.h>

#include <functional>
#include <set>
#include <vector>

#include "cache/failpoint.h"
#include "tests/policy/recall_support.h"
#include "tests/policy/record_cache_support.h"
#include "tests/support/shared_region.h"
#include "tests/support/test_zone.h"

namespace gate::policy {
namespace {

const KeyStore kStore = test_store("partner");
constexpr unsigned kInvented = 1000000;

TEST(RecordCacheFlood, OfInventedKeysEvictsNoRecord) {
    for (const std::size_t size : {cache::kMinZone, std::size_t{4} << 20}) {
        test::TestZone zone(size);
        const auto good = static_cast<unsigned>(zone->records.capacity() / 4);
        constexpr unsigned kLarge = 3;
        ASSERT_GT(good, kLarge);
        for (unsigned i = 0; i < good; ++i)
            keep_version(*zone, need_of(kStore, i), i, kClock, i < kLarge);
        const std::size_t records = zone->records.occupied();
        const std::size_t capacity = zone->unknown_keys.capacity();
        for (unsigned i = 0; i < 10 * capacity; ++i) {
            const Need need = need_of(kStore, kInvented + i);
            keep_unknown(*zone, need);
            ASSERT_EQ(look(*zone, need), "unknown");
        }
        for (unsigned i = 0; i < good; ++i) {
            EXPECT_EQ(look(*zone, need_of(kStore, i)), std::to_string(i));
        }
        EXPECT_EQ(zone->records.occupied(), records);
        EXPECT_EQ(zone->large_records.occupied(), kLarge);
        EXPECT_LE(zone->unknown_keys.occupied(), capacity);
        EXPECT_EQ(zone->verdicts.occupied(), 0u);
        std::printf("%zu octets: %u records beside %zu places for unknown keys\n", size, good,
                    capacity);
    }
}

TEST(RecordCacheFlood, OfChangesEvictsNoRecord) {
    test::TestZone zone;
    for (unsigned i = 0; i < 10; ++i) keep_version(*zone, need_of(kStore, i), i);
    for (unsigned i = 0; i < 10 * zone->unknown_keys.capacity(); ++i) {
        ASSERT_TRUE(forget_record(*zone, need_of(kStore, kInvented + i), kClock));
    }
    for (unsigned i = 0; i < 10; ++i) {
        EXPECT_EQ(look(*zone, need_of(kStore, i)), std::to_string(i));
    }
}

TEST(RecordCacheFlood, OfGoodKeysEvictsNoVerdictAndKeepsWhatIsUsed) {
    RecallBench bench;
    const Parsed token(R"({"iss":"https://idp","exp":1900000000,"sub":"alice"})");
    ASSERT_EQ(bench.keep(token), "");
    const std::size_t capacity = bench.zone->records.capacity();
    const Need used = need_of(kStore, 1);
    keep_version(*bench.zone, used, 1);
    ASSERT_EQ(look(*bench.zone, used), "1");
    for (unsigned i = 0; i < 10 * capacity; ++i) {
        const Need need = need_of(kStore, kInvented + i);
        keep_version(*bench.zone, need, i, kClock, i % 8 == 0);
        ASSERT_EQ(look(*bench.zone, need), std::to_string(i)) << "the newest is always there";
        EXPECT_EQ(look(*bench.zone, used, kClock + i / (capacity / 2 + 1)), "1") << i;
    }
    EXPECT_LE(bench.zone->records.occupied(), capacity);
    EXPECT_LE(bench.zone->large_records.occupied(), bench.zone->large_records.capacity());
    EXPECT_EQ(bench.zone->unknown_keys.occupied(), 0u);
    EXPECT_EQ(bench.zone->verdicts.occupied(), 1u);
    EXPECT_EQ(bench.look(token), "hit");
}

// Readers beside a writer see one whole answer or nothing.
TEST(RecordCacheRace, GivesWholeAnswersBesideAWriter) {
    test::TestZone zone;
    const Need need = need_of(kStore, 1);
    const pid_t writer = test::fork_child([&] {
        for (unsigned i = 0; i < 4000; ++i) {
            const Seconds clock = kClock + i % 3;
            if (i % 5 == 4) {
                if (!forget_record(*zone, need, kClock - 1)) return 1;
            } else {
                remember_record(*zone, need,
                                i % 5 == 3 ? Answer{} : answer_of(record_of(need, i, i % 5 == 1)),
                                {}, kClock, clock);
            }
        }
        return 0;
    });
    std::set<std::string> seen;
    for (unsigned i = 0; i < 20000; ++i) {
        const std::string found = look(*zone, need);
        ASSERT_NE(found, "mixed");
        seen.insert(found);
    }
    EXPECT_EQ(test::wait_for_child(writer), test::ChildEnd{});
    std::printf("readers saw %zu different answers\n", seen.size());
}

#if defined(GATE_FAILPOINTS)

std::size_t* hits = nullptr;
std::size_t kill_at = 0;

void count_or_die(const char*) {
    if ((*hits)++ == kill_at) kill(getpid(), SIGKILL);
}

// Every change from each thing that can be known to each other.
TEST(RecordCacheCrash, LeavesTheOldTheNewOrNothing) {
    using Step = std::function<void(cache::Zone&, const Need&)>;
    const std::vector<std::pair<std::string, Step>> steps = {
        {"1", [](auto& zone, auto& need) { keep_version(zone, need, 1); }},
        {"2", [](auto& zone, auto& need) { keep_version(zone, need, 2, kClock, true); }},
        {"unknown", [](auto& zone, auto& need) { keep_unknown(zone, need); }},
        {"nothing",
         [](auto& zone, auto& need) { EXPECT_TRUE(forget_record(zone, need, kClock - 1)); }},
    };
    const Need need = need_of(kStore, 1), other = need_of(kStore, 2);
    test::SharedRegion count(4096);
    hits = count.at<std::size_t>(0);
    std::size_t deaths = 0;
    for (const auto& [before, make_before] : steps) {
        for (const auto& [after, make_after] : steps) {
            // The first ones empty other tables; those of a payload are all alike.
            for (std::size_t hit = 0; hit < 600; hit += hit < 14 ? 1 : 53) {
                SCOPED_TRACE(before + " to " + after + ", killed at " + std::to_string(hit));
                test::TestZone zone;
                make_before(*zone, need);
                keep_version(*zone, other, 9);
                *hits = 0;
                const auto end = test::wait_for_child(test::fork_child([&] {
                    kill_at = hit;
                    cache::failpoint_hook = count_or_die;
                    make_after(*zone, need);
                    return 0;
                }));
                const std::string found = look(*zone, need);
                EXPECT_TRUE(found == before || found == after || found == "nothing") << found;
                EXPECT_EQ(look(*zone, other), "9");
                for (const auto& [then, make_then] : steps) {
                    make_then(*zone, need);
                    EXPECT_EQ(look(*zone, need), then);
                }
                if (end.signal == 0) break;
                ++deaths;
            }
        }
    }
    std::printf("killed a writer %zu times\n", deaths);
    EXPECT_GT(deaths, 200u);
}

#endif

}  // namespace
}  // namespace gate::policy
