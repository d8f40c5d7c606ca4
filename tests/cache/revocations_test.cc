#include "cache/revocations.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <new>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "tests/support/shared_region.h"

namespace gate::cache {
namespace {

using Put = Revocations::Put;

constexpr std::uint32_t kNow = 1800000000;

class Set : public Revocations {
public:
    explicit Set(std::size_t buckets)
        : Set(std::make_unique<test::SharedRegion>(Revocations::size_for(buckets)), buckets) {}
    std::span<std::byte> memory() const { return memory_; }

private:
    Set(std::unique_ptr<test::SharedRegion> region, std::size_t buckets)
        : Revocations(region->bytes().first(Revocations::size_for(buckets))),
          region_(std::move(region)),
          memory_(region_->bytes().first(Revocations::size_for(buckets))) {}
    std::unique_ptr<test::SharedRegion> region_;
    std::span<std::byte> memory_;
};

RevocationDigest random_digest(std::mt19937_64& random) {
    return {random() | 1, random()};
}

bool dead(const Revocations& set, const RevocationDigest& digest, std::uint32_t issued = 0,
          std::uint32_t now = kNow) {
    return set.revoked(digest, issued, now);
}

TEST(RevocationKinds, HaveNamesThatFindThem) {
    std::set<std::string_view> names;
    for (int i = 0; i <= static_cast<int>(RevocationKind::kAll); ++i) {
        const auto kind = static_cast<RevocationKind>(i);
        EXPECT_EQ(find_revocation_kind(name_of(kind)), kind);
        names.insert(name_of(kind));
    }
    EXPECT_EQ(names,
              (std::set<std::string_view>{"jti", "tok", "sub", "sid", "client", "key", "all"}));
    EXPECT_FALSE(find_revocation_kind("JTI"));
    EXPECT_FALSE(find_revocation_kind(""));
}

TEST(RevocationDigests, TellKindIssuerAndValueApart) {
    const SipKey seed{1, 2, 3};
    const std::string large(600, 'a');
    const std::vector<std::pair<std::string, std::string>> texts{{"", ""},
                                                                 {"a", ""},
                                                                 {"", "a"},
                                                                 {"a", "b"},
                                                                 {"ab", ""},
                                                                 {"", "ab"},
                                                                 {"b", "a"},
                                                                 {large, large},
                                                                 {large + "a", large},
                                                                 {large, large + "a"},
                                                                 {std::string("a\0", 2), ""}};
    std::set<std::pair<std::uint64_t, std::uint64_t>> seen;
    std::size_t count = 0;
    for (const auto& [issuer, value] : texts) {
        for (const auto kind :
             {RevocationKind::kJti, RevocationKind::kSubject, RevocationKind::kAll}) {
            const auto digest = digest_revocation(seed, kind, issuer, value);
            EXPECT_EQ(digest,
                      digest_revocation(seed, kind, std::string(issuer), std::string(value)));
            EXPECT_NE(digest, digest_revocation(SipKey{9}, kind, issuer, value));
            EXPECT_NE(digest.high, 0U);
            seen.insert({digest.high, digest.low});
            ++count;
        }
    }
    EXPECT_EQ(seen.size(), count);
}

TEST(Revocations, KillsWhatWasPutAndNothingElse) {
    Set set(40);
    EXPECT_FALSE(dead(set, {5, 6}));
    EXPECT_EQ(set.put({{5, 6}}, kNow), Put::kAdded);
    EXPECT_TRUE(dead(set, {5, 6}));
    EXPECT_TRUE(dead(set, {5, 6}, 0xffffffff, 0xffffffff));
    EXPECT_FALSE(dead(set, {5, 7}));
    EXPECT_FALSE(dead(set, {6, 6}));
    EXPECT_TRUE(set.may_hold(5, 0, kNow));
    EXPECT_FALSE(set.may_hold(6, 0, kNow));
    EXPECT_EQ(set.size(), 1U);
}

TEST(Revocations, KillsWhatWasIssuedUpToTheInstant) {
    Set set(4);
    set.put({{1, 1}, kNow - 10, kNow + 100}, kNow);
    EXPECT_TRUE(dead(set, {1, 1}, 0));
    EXPECT_TRUE(dead(set, {1, 1}, kNow - 10));
    EXPECT_FALSE(dead(set, {1, 1}, kNow - 9));
    EXPECT_FALSE(set.may_hold(1, kNow - 9, kNow));
}

TEST(Revocations, ForgetsFromItsExpiryOn) {
    Set set(4);
    set.put({{1, 1}, kEveryInstant, kNow + 100}, kNow);
    EXPECT_TRUE(dead(set, {1, 1}, 0, kNow + 99));
    EXPECT_FALSE(dead(set, {1, 1}, 0, kNow + 100));
    EXPECT_EQ(set.size(), 1U);
    EXPECT_EQ(set.put({{2, 2}, kEveryInstant, kNow}, kNow), Put::kKnown) << "dead on arrival";
    EXPECT_EQ(set.size(), 1U);
}

TEST(Revocations, WidensAnEntryAndNeverNarrowsIt) {
    Set set(4);
    EXPECT_EQ(set.put({{1, 1}, kNow, kNow + 50}, kNow), Put::kAdded);
    const std::uint64_t before = set.changes();
    EXPECT_EQ(set.put({{1, 1}, kNow - 5, kNow + 40}, kNow), Put::kKnown);
    EXPECT_EQ(set.changes(), before) << "nothing new";
    EXPECT_EQ(set.put({{1, 1}, kNow + 5, kNow + 40}, kNow), Put::kKnown);
    EXPECT_GT(set.changes(), before);
    EXPECT_TRUE(dead(set, {1, 1}, kNow + 5, kNow + 49));
    EXPECT_EQ(set.put({{1, 1}, kNow, kNeverForgotten}, kNow), Put::kKnown);
    EXPECT_TRUE(dead(set, {1, 1}, kNow + 5, kNow + 1000));
    EXPECT_EQ(set.size(), 1U);
}

TEST(Revocations, TakesAnExpiredEntryAsNew) {
    Set set(4);
    set.put({{1, 1}, kEveryInstant, kNow + 10}, kNow);
    EXPECT_EQ(set.put({{1, 1}, kNow, kNow + 30}, kNow + 10), Put::kKnown);
    EXPECT_TRUE(dead(set, {1, 1}, kNow, kNow + 20));
    EXPECT_FALSE(dead(set, {1, 1}, kNow + 1, kNow + 20)) << "what it killed before is forgotten";
    EXPECT_EQ(set.size(), 1U);
}

TEST(Revocations, CountsChangesThatKill) {
    Set set(4);
    EXPECT_EQ(set.changes(), 0U);
    set.put({{1, 1}, kNow, kNow + 50}, kNow);
    const std::uint64_t once = set.changes();
    EXPECT_GT(once, 0U);
    set.put({{1, 1}, kNow, kNow + 50}, kNow);
    set.sweep(0, 100, kNow + 50);
    EXPECT_EQ(set.changes(), once);
}

TEST(Revocations, TakesFourFifthsOfItsCapacity) {
    for (const std::size_t buckets : {8U, 50U, 1000U, 20000U}) {
        for (std::uint64_t seed = 1; seed <= (buckets < 1000 ? 30U : 2U); ++seed) {
            Set set(buckets);
            ASSERT_EQ(set.capacity(), buckets * 8);
            std::mt19937_64 random(seed);
            for (std::size_t i = 0; i < set.capacity() * 8 / 10; ++i) {
                ASSERT_EQ(set.put({random_digest(random)}, kNow), Put::kAdded)
                    << i << " of " << set.capacity() << ", seed " << seed;
            }
            EXPECT_FALSE(set.overflowed());
            EXPECT_EQ(set.size(), set.capacity() * 8 / 10);
        }
    }
}

TEST(Revocations, NeedsAtMostFortyOctetsForAnEntry) {
    constexpr std::size_t kEntries = 1000000;
    const std::size_t size = kEntries * 40;
    test::SharedRegion region(size);
    EXPECT_GE(Revocations(region.bytes()).capacity() * 8 / 10, kEntries);
}

TEST(Revocations, IsExact) {
    Set set(15000);
    std::mt19937_64 random(7);
    std::vector<RevocationDigest> put;
    for (std::size_t i = 0; i < 96000; ++i) put.push_back(random_digest(random));
    for (const auto& digest : put) ASSERT_EQ(set.put({digest}, kNow), Put::kAdded);
    for (const auto& digest : put) {
        ASSERT_TRUE(dead(set, digest));
        ASSERT_FALSE(dead(set, {digest.high, digest.low + 1}));
        ASSERT_TRUE(set.may_hold(digest.high, 0, kNow));
    }
    for (int i = 0; i < 1000000; ++i) {
        const RevocationDigest other = random_digest(random);
        ASSERT_FALSE(dead(set, other));
        ASSERT_FALSE(set.may_hold(other.high, 0, kNow));
    }
}

TEST(Revocations, RefusesWhatDoesNotFitAndSaysSo) {
    Set set(2);
    std::mt19937_64 random(3);
    std::vector<RevocationDigest> put;
    while (!set.overflowed()) {
        const RevocationDigest digest = random_digest(random);
        const Put result = set.put({digest, kEveryInstant, kNow + 10}, kNow);
        ASSERT_EQ(result == Put::kFull, set.overflowed());
        if (result == Put::kAdded) put.push_back(digest);
    }
    EXPECT_EQ(put.size(), 16U);
    for (const auto& digest : put) EXPECT_TRUE(dead(set, digest));
    EXPECT_EQ(set.put({put[0], kEveryInstant, kNow + 20}, kNow), Put::kKnown) << "widening fits";
    EXPECT_EQ(set.put({random_digest(random)}, kNow + 10), Put::kAdded) << "expired ones give way";
    EXPECT_TRUE(dead(set, put[0], 0, kNow + 19));
    EXPECT_TRUE(set.overflowed()) << "until somebody has loaded it anew";
    set.set_overflowed(false);
    EXPECT_FALSE(set.overflowed());
}

TEST(Revocations, WithoutRoomForABucketHoldsNothing) {
    test::SharedRegion region(4096);
    Revocations set(region.bytes().first(Revocations::size_for(1) - 1));
    EXPECT_EQ(set.capacity(), 0U);
    EXPECT_FALSE(dead(set, {1, 1}));
    EXPECT_EQ(set.put({{1, 1}}, kNow), Put::kFull);
    EXPECT_TRUE(set.overflowed());
    EXPECT_EQ(set.sweep(0, 10, kNow), 0U);
}

TEST(Revocations, WorksWithOneBucket) {
    Set set(1);
    for (std::uint64_t i = 1; i <= 8; ++i) EXPECT_EQ(set.put({{i << 40, i}}, kNow), Put::kAdded);
    EXPECT_EQ(set.put({{9ULL << 40, 9}}, kNow), Put::kFull);
    for (std::uint64_t i = 1; i <= 8; ++i) EXPECT_TRUE(dead(set, {i << 40, i}));
}

TEST(Revocations, SweepsInSlices) {
    Set set(100);
    std::mt19937_64 random(5);
    for (std::uint32_t i = 0; i < 400; ++i) {
        set.put({random_digest(random), kEveryInstant, kNow + 1 + i % 2}, kNow);
    }
    std::size_t bucket = 0;
    int rounds = 0;
    do {
        bucket = set.sweep(bucket, 30, kNow + 1);
        ++rounds;
    } while (bucket != 0);
    EXPECT_EQ(rounds, 4);
    EXPECT_EQ(set.size(), 200U);
    std::size_t left = 0;
    set.each([&](const RevocationEntry& entry) {
        EXPECT_EQ(entry.expires, kNow + 2);
        ++left;
    });
    EXPECT_EQ(left, 200U);
}

TEST(Revocations, GoOverToALargerAndASmallerSet) {
    Set set(100);
    std::mt19937_64 random(6);
    std::vector<RevocationEntry> entries;
    for (std::uint32_t i = 0; i < 300; ++i) {
        entries.push_back({random_digest(random), kNow + i, i % 7 ? kNow + 10 : kNeverForgotten});
        set.put(entries.back(), kNow);
    }
    for (const std::size_t buckets : {400U, 60U}) {
        Set other(buckets);
        set.each(
            [&](const RevocationEntry& entry) { EXPECT_EQ(other.put(entry, kNow), Put::kAdded); });
        EXPECT_EQ(other.size(), 300U);
        for (const auto& entry : entries) {
            EXPECT_TRUE(dead(other, entry.digest, entry.issued_until));
            EXPECT_FALSE(dead(other, entry.digest, entry.issued_until + 1));
            EXPECT_EQ(dead(other, entry.digest, 0, kNow + 10), entry.expires == kNeverForgotten);
        }
    }
    Set tiny(10);
    std::size_t refused = 0;
    set.each([&](const RevocationEntry& entry) { refused += tiny.put(entry, kNow) == Put::kFull; });
    EXPECT_GE(refused, 220U);
    EXPECT_TRUE(tiny.overflowed());
}

}  // namespace
}  // namespace gate::cache
