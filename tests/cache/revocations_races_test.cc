// The moments at which a reader and a writer, or a writer and its dead predecessor, meet in the
// same entry, one by one.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <functional>
#include <string_view>

#include "cache/failpoint.h"
#include "cache/revocations.h"
#include "tests/support/shared_region.h"

#if defined(GATE_FAILPOINTS)

namespace gate::cache {
namespace {

using Put = Revocations::Put;

constexpr std::uint32_t kNow = 1000;
constexpr std::size_t kBuckets = 4;

std::string_view place;
std::function<void()> action;

void act_once(const char* name) {
    if (place != name) return;
    place = {};
    action();
}

class RevocationsRaces : public testing::Test {
protected:
    RevocationsRaces() { failpoint_hook = act_once; }
    ~RevocationsRaces() override {
        failpoint_hook = nullptr;
        action = nullptr;
    }

    static void at(std::string_view name, std::function<void()> what) {
        place = name;
        action = std::move(what);
    }

    // A digest whose buckets are these.
    RevocationDigest digest_in(std::uint64_t first, std::uint64_t second) {
        ++count_;
        const auto part = [this](std::uint64_t bucket) {
            return (bucket << 32) / kBuckets + 1000 + count_;
        };
        return {part(first) << 32 | part(second), count_};
    }

    // An entry in its second bucket, which is full as is another; its first one has room from
    // kNow + 1 on. So the next entry of both full buckets makes it go over.
    RevocationDigest entry_that_moves() {
        EXPECT_EQ(set_.put({digest_in(0, 3), kEveryInstant, kNow + 1}, kNow), Put::kAdded);
        const RevocationDigest mover = digest_in(0, 1);
        EXPECT_EQ(set_.put({mover}, kNow), Put::kAdded);
        for (int i = 0; i < 15; ++i) EXPECT_EQ(set_.put({digest_in(1, 2)}, kNow), Put::kAdded);
        return mover;
    }

    std::size_t copies(const RevocationDigest& digest) const {
        std::size_t count = 0;
        set_.each([&](const RevocationEntry& entry) { count += entry.digest == digest; });
        return count;
    }

    // A writer dies at this place while it puts the entry.
    void die(std::string_view name, const RevocationEntry& entry) {
        at(name, [] { kill(getpid(), SIGKILL); });
        const auto end = test::wait_for_child(test::fork_child([&] {
            set_.put(entry, kNow + 1);
            return 0;
        }));
        place = {};
        ASSERT_EQ(end.signal, SIGKILL);
    }

    static constexpr std::size_t kSize = Revocations::size_for(kBuckets);
    test::SharedRegion region_{kSize};
    Revocations set_{region_.bytes().first(kSize)};
    std::uint64_t count_ = 0;
};

TEST_F(RevocationsRaces, AReaderFindsAnEntryThatGoesOverBehindIt) {
    const RevocationDigest mover = entry_that_moves();
    const RevocationDigest newcomer = digest_in(1, 2);
    Put put = Put::kFull;
    at("revocations.read_second", [&] { put = set_.put({newcomer}, kNow + 1); });
    EXPECT_TRUE(set_.revoked(mover, 0, kNow + 1));
    EXPECT_EQ(put, Put::kAdded);
    EXPECT_TRUE(set_.revoked(newcomer, 0, kNow + 1));
    EXPECT_EQ(copies(mover), 1U);
}

TEST_F(RevocationsRaces, AReaderDoesNotTakeTheTimesOfASlotsNextEntry) {
    const RevocationDigest first = digest_in(1, 2);
    const RevocationDigest next = digest_in(1, 2);
    set_.put({first, kEveryInstant, kNow + 1}, kNow);
    at("revocations.read_meta", [&] { set_.put({next}, kNow + 1); });
    EXPECT_FALSE(set_.revoked(first, 0, kNow + 1));
    EXPECT_TRUE(set_.revoked(next, 0, kNow + 1));
}

TEST_F(RevocationsRaces, AReaderSeesAHalfWrittenEntryAsAbsent) {
    const RevocationDigest digest = digest_in(1, 2);
    for (const char* name :
         {"revocations.fill_low", "revocations.fill_high", "revocations.fill_meta"}) {
        die(name, {digest});
        EXPECT_FALSE(set_.revoked(digest, 0, kNow)) << name;
    }
    EXPECT_EQ(set_.put({digest}, kNow), Put::kAdded);
    EXPECT_TRUE(set_.revoked(digest, 0, kNow));
    EXPECT_EQ(copies(digest), 1U);
    EXPECT_EQ(set_.size(), 4U) << "too large by one for each death";
}

TEST_F(RevocationsRaces, NoDeathMakesASetThatHoldsSomethingLookEmpty) {
    for (const char* name : {"revocations.fill_size", "revocations.fill_low",
                             "revocations.fill_meta", "revocations.changes", "revocations.end"}) {
        const RevocationDigest digest = digest_in(1, 2);
        const std::size_t before = set_.size();
        die(name, {digest});
        set_.put({digest}, kNow);
        EXPECT_GT(set_.size(), before) << name;
    }
}

TEST_F(RevocationsRaces, AnInterruptedMoveIsCompletedByTheNextWriter) {
    const RevocationDigest mover = entry_that_moves();
    const RevocationEntry newcomer{digest_in(1, 2)};
    die("revocations.moves", newcomer);
    EXPECT_EQ(copies(mover), 2U);
    EXPECT_TRUE(set_.revoked(mover, 0, kNow + 1));
    EXPECT_EQ(set_.put(newcomer, kNow + 1), Put::kAdded);
    EXPECT_TRUE(set_.revoked(mover, 0, kNow + 1));
    EXPECT_EQ(copies(mover), 1U);
}

TEST_F(RevocationsRaces, WideningAnEntryThatIsThereTwiceLeavesOne) {
    const RevocationDigest mover = entry_that_moves();
    die("revocations.moves", {digest_in(1, 2)});
    ASSERT_EQ(copies(mover), 2U);
    EXPECT_EQ(set_.put({mover}, kNow + 1), Put::kKnown);
    EXPECT_EQ(copies(mover), 1U);
    EXPECT_TRUE(set_.revoked(mover, 0, kNow + 1));
}

TEST_F(RevocationsRaces, AChangeThatNobodyWasToldOfIsToldByTheNextWriter) {
    const RevocationDigest digest = digest_in(1, 2);
    const std::uint64_t before = set_.changes();
    die("revocations.changes", {digest});
    EXPECT_TRUE(set_.revoked(digest, 0, kNow));
    EXPECT_EQ(set_.changes(), before);
    EXPECT_EQ(set_.put({digest}, kNow), Put::kKnown);
    EXPECT_GT(set_.changes(), before);
}

}  // namespace
}  // namespace gate::cache

#endif
