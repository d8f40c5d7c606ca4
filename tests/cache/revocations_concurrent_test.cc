// Readers beside a writer, and a writer that dies at any store: what was acknowledged is never
// missed, what was never put is never found.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <new>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "cache/failpoint.h"
#include "cache/revocations.h"
#include "tests/support/shared_region.h"

namespace gate::cache {
namespace {

using Put = Revocations::Put;
using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kStart = 1000;
constexpr std::size_t kBuckets = 24;  // few: full buckets, moves and reuse all the time
constexpr std::size_t kSetSize = Revocations::size_for(kBuckets);
constexpr std::size_t kLasting = 120;

// The lasting entries are odd, the passing ones even, and no entry has a low half of 7.
RevocationDigest digest_of(std::uint64_t number) {
    std::mt19937_64 random(number);
    return {random() | 1, number + 100};
}
constexpr std::uint64_t kPassing = 1000000;

// In shared memory, behind the set.
struct Board {
    std::atomic<std::uint64_t> acknowledged{0};
    std::atomic<std::uint32_t> now{kStart};
    std::atomic<bool> stop{false};
    std::atomic<std::uint64_t> lookups{0};
};

// Puts the lasting entries one by one, widening them now and then, amid passing ones.
void write_for(Revocations& set, Board& board, std::chrono::milliseconds time) {
    const auto end = Clock::now() + time;
    std::uint64_t passing = kPassing;
    while (Clock::now() < end) {
        const std::uint32_t now = board.now.load();
        for (int i = 0; i < 20; ++i) {
            set.put(
                {digest_of(passing++), kEveryInstant, now + 1 + static_cast<std::uint32_t>(i) % 2},
                now);
        }
        const std::uint64_t count = board.acknowledged.load();
        if (count < kLasting) {
            if (set.put({digest_of(count), 0}, now) != Put::kFull)
                board.acknowledged.store(count + 1);
        } else {
            set.put({digest_of(passing % kLasting), now - kStart}, now);
        }
        board.now.store(now + 1);
        if (passing % 7 == 0) set.sweep(passing % kBuckets, 3, now + 1);
    }
    board.stop.store(true);
}

// The number of wrong answers.
int read_until_stopped(const Revocations& set, Board& board, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    int wrong = 0;
    std::uint64_t lookups = 0;
    while (!board.stop.load()) {
        const std::uint64_t count = board.acknowledged.load();
        if (count == 0) continue;
        const RevocationDigest digest = digest_of(random() % count);
        const std::uint32_t now = board.now.load();
        wrong += !set.revoked(digest, 0, now);
        wrong += !set.may_hold(digest.high, 0, now);
        wrong += set.revoked({digest.high, 7}, 0, now);
        wrong += set.revoked({random() | 1, 7}, 0, now);
        wrong += set.revoked(digest, 0xfffffffe, now);
        ++lookups;
    }
    board.lookups += lookups;
    return wrong;
}

TEST(RevocationsConcurrent, ThreadsNeverMissWhatIsAcknowledged) {
    test::SharedRegion region(kSetSize + sizeof(Board));
    Revocations set(region.bytes().first(kSetSize));
    Board board;
    std::atomic<int> wrong{0};
    std::vector<std::thread> readers;
    for (std::uint64_t i = 1; i <= 2; ++i) {
        readers.emplace_back([&, i] { wrong += read_until_stopped(set, board, i); });
    }
    write_for(set, board, std::chrono::milliseconds(700));
    for (auto& reader : readers) reader.join();
    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(board.acknowledged, kLasting);
    EXPECT_GT(board.lookups, 1000U);
}

TEST(RevocationsConcurrent, ProcessesNeverMissWhatIsAcknowledged) {
    test::SharedRegion region(kSetSize + sizeof(Board));
    Revocations set(region.bytes().first(kSetSize));
    Board& board = *new (region.at<Board>(kSetSize)) Board;
    std::vector<pid_t> readers;
    for (std::uint64_t i = 1; i <= 3; ++i) {
        readers.push_back(
            test::fork_child([&, i] { return read_until_stopped(set, board, i) == 0 ? 0 : 1; }));
    }
    write_for(set, board, std::chrono::milliseconds(700));
    for (const pid_t reader : readers) EXPECT_EQ(test::wait_for_child(reader), test::ChildEnd{});
    EXPECT_EQ(board.acknowledged, kLasting);
    EXPECT_GT(board.lookups, 1000U);
}

#if defined(GATE_FAILPOINTS)

// Operations that take every way through the writer: adding, widening, reuse, moving, refusing.
struct Step {
    RevocationEntry entry;
    std::uint32_t now;
    bool sweep;
};

constexpr std::size_t kFewBuckets = 4;
// A fork costs much there, and what it looks for is not in this test.
#if defined(__SANITIZE_THREAD__)
constexpr std::size_t kStride = 17;
#else
constexpr std::size_t kStride = 1;
#endif
constexpr std::size_t kSmallSize = Revocations::size_for(kFewBuckets);

std::vector<Step> steps() {
    std::vector<Step> list;
    std::uint32_t now = kStart;
    for (std::uint64_t i = 0; i < 26; ++i) {  // of 32: the last ones need moves
        list.push_back({{digest_of(i), now, kNeverForgotten}, now, false});
        list.push_back({{digest_of(kPassing + i), kEveryInstant, now + 2}, now, i % 8 == 7});
        if (i % 3 == 0) list.push_back({{digest_of(i / 2), now + 1, kNeverForgotten}, now, false});
        ++now;
    }
    for (std::uint64_t i = 0; i < 10; ++i) {
        list.push_back({{digest_of(2 * kPassing + i), kEveryInstant, now + 9}, now, false});
    }
    return list;
}

// In shared memory, behind the set.
struct Log {
    std::size_t done = 0;       // steps
    std::uint64_t changes = 0;  // before the step at work
    std::size_t stores = 0;     // failpoints passed
    std::size_t kill_at = SIZE_MAX;
};

Log* current_log = nullptr;
std::set<std::string>* names_hit = nullptr;

void count_and_kill(const char* name) {
    if (std::string_view(name).starts_with("revocations.read")) return;
    if (names_hit != nullptr) names_hit->insert(name);
    if (current_log->stores++ == current_log->kill_at) kill(getpid(), SIGKILL);
}

// Before each step `changed`, where there is one, learns whether the step before changed anything.
void run(Revocations& set, Log& log, const std::vector<Step>& list,
         std::vector<bool>* changed = nullptr) {
    for (const Step& step : list) {
        log.changes = set.changes();
        if (step.sweep) set.sweep(0, kFewBuckets, step.now);
        set.put(step.entry, step.now);
        ++log.done;
        if (changed != nullptr) changed->push_back(set.changes() != log.changes);
    }
}

std::size_t entries_of(const Revocations& set) {
    std::size_t count = 0;
    set.each([&](const RevocationEntry&) { ++count; });
    return count;
}

// Whether the set holds the first `count` steps' lasting entries as wide as they were put.
void expect_held(const Revocations& set, const std::vector<Step>& list, std::size_t count,
                 const std::string& where) {
    const std::uint32_t now = list.back().now;
    for (std::size_t i = 0; i < count; ++i) {
        const auto& [digest, until, expires] = list[i].entry;
        if (expires != kNeverForgotten) continue;
        ASSERT_TRUE(set.revoked(digest, until, now)) << where << ", step " << i;
        ASSERT_FALSE(set.revoked({digest.high, 7}, 0, now)) << where;
    }
}

class RevocationsCrash : public testing::Test {
protected:
    RevocationsCrash() { failpoint_hook = count_and_kill; }
    ~RevocationsCrash() override {
        failpoint_hook = nullptr;
        names_hit = nullptr;
        current_log = nullptr;
    }

    test::SharedRegion region_{kSmallSize + sizeof(Log)};
    Revocations set_{region_.bytes().first(kSmallSize)};
    Log& log_ = *(current_log = new (region_.at<Log>(kSmallSize)) Log);
    const std::vector<Step> list_ = steps();

    // Starts anew; the process dies before its store number `kill_at`. False: there are not so
    // many.
    bool die_at(std::size_t kill_at) {
        std::fill(region_.bytes().begin(), region_.bytes().end(), std::byte{0});
        log_ = Log{.kill_at = kill_at};
        const auto end = test::wait_for_child(test::fork_child([&] {
            run(set_, log_, list_);
            return 0;
        }));
        log_.kill_at = SIZE_MAX;
        return end.signal == SIGKILL;
    }
};

TEST_F(RevocationsCrash, StepsPassEveryFailpoint) {
    std::set<std::string> names;
    names_hit = &names;
    run(set_, log_, list_);
    EXPECT_TRUE(set_.overflowed());
    expect_held(set_, list_, list_.size(), "never killed");
    EXPECT_EQ(names, (std::set<std::string>{
                         "revocations.begin", "revocations.changes", "revocations.clear_tag",
                         "revocations.clear_meta", "revocations.clear_size", "revocations.end",
                         "revocations.fill_high", "revocations.fill_low", "revocations.fill_meta",
                         "revocations.fill_size", "revocations.fill_tag", "revocations.moves",
                         "revocations.overflowed", "revocations.widen"}));
}

TEST_F(RevocationsCrash, NothingAcknowledgedIsLostAtAnyStore) {
    std::vector<bool> changed;
    run(set_, log_, list_, &changed);
    const std::size_t size = set_.size();
    std::size_t kill_at = 0;
    for (; die_at(kill_at); kill_at += kStride) {
        const std::string where = "killed before store " + std::to_string(kill_at);
        expect_held(set_, list_, log_.done, where);
        ASSERT_GE(set_.size(), entries_of(set_)) << where;
        // The next writer does the step again: whoever noted changes() before has to look again.
        const Step& step = list_[log_.done];
        const std::uint64_t before = log_.changes;
        set_.put(step.entry, step.now);
        if (changed[log_.done]) {
            ASSERT_GT(set_.changes(), before) << where;
        }
        // And all of them, as a journal is replayed.
        run(set_, log_, list_);
        expect_held(set_, list_, list_.size(), where + ", replayed");
        ASSERT_LE(set_.size(), size + 2) << where;
        ASSERT_GE(set_.size(), entries_of(set_)) << where;
    }
    EXPECT_GT(kill_at, 300U);
}

#endif

}  // namespace
}  // namespace gate::cache
