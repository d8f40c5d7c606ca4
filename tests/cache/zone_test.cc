#include "cache/zone.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <vector>

#include "tests/support/test_zone.h"

namespace gate::cache {
namespace {

using test::SharedRegion;
using test::TestZone;

constexpr std::size_t kMegabyte = std::size_t{1} << 20;

// Sizes that nginx may hand over: whole pages, less what its own pool needs.
std::vector<std::size_t> sizes() {
    std::vector<std::size_t> all{kMinZone,        kMinZone + 1,          kMegabyte - 36864,
                                 kMegabyte,       64 * kMegabyte - 4096, 64 * kMegabyte,
                                 1024 * kMegabyte};
    for (std::size_t size = kMinZone; size < 3 * kMegabyte; size += 36864) all.push_back(size);
    return all;
}

std::vector<Extent> parts_of(const Layout& layout) {
    return {layout.revocations,   layout.counters,     layout.buckets, layout.records,
            layout.large_records, layout.unknown_keys, layout.verdicts};
}

TEST(ZoneLayout, PlacesItsPartsApartAlignedAndInside) {
    for (const std::size_t size : sizes()) {
        const auto layout = layout_of(size);
        ASSERT_TRUE(layout) << size;
        std::size_t end = sizeof(ZoneHeader);
        for (const Extent& part : parts_of(*layout)) {
            EXPECT_EQ(part.offset % 64, 0U) << size;
            EXPECT_GE(part.offset, end) << size;
            EXPECT_GT(part.size, 0U) << size;
            end = part.offset + part.size;
        }
        EXPECT_LE(end, size);
        EXPECT_GT(end + 64, size) << "nothing is wasted";
    }
}

TEST(ZoneLayout, GivesEachTableAtLeastOneSet) {
    for (const std::size_t size : sizes()) {
        if (size % 64 != 0 || size > 4 * kMegabyte) continue;
        const SharedRegion region(size);
        const Zone zone(region.bytes(), {});
        for (const Table* table :
             {&zone.verdicts, &zone.records, &zone.large_records, &zone.unknown_keys}) {
            EXPECT_GE(table->capacity(), Table::kWays) << size;
        }
    }
}

TEST(ZoneLayout, RefusesLessThanItsLeast) {
    EXPECT_FALSE(layout_of(kMinZone - 1));
    EXPECT_FALSE(layout_of(0));
}

TEST(ZoneLayout, Of64MegabytesHasRoomForWhatIsPromised) {
    SharedRegion region(64 * kMegabyte);
    const Zone zone(region.bytes(), {});
    EXPECT_GE(zone.verdicts.capacity(), 250000U);
    EXPECT_GE(zone.revocations.capacity(), 500000U);
    EXPECT_LE(64 * kMegabyte / 4, zone.revocations.capacity() * 40);
}

TEST(Zone, IsFoundAgainWithItsKeysAndContents) {
    TestZone made;
    const Fingerprint key{1, 2};
    const std::array<std::uint64_t, 2> payload{7, 8};
    made->verdicts.insert(key, 10, 20, payload);
    made->revocations.put({{3, 4}}, 10);
    ASSERT_EQ(Zone::check(made.bytes()), Zone::Problem::kNone);

    const Zone again(made.bytes(), {});
    std::array<std::uint64_t, 2> found{};
    EXPECT_TRUE(again.verdicts.find(key, 10, found));
    EXPECT_EQ(found, payload);
    EXPECT_TRUE(again.revocations.revoked({3, 4}, 0, 10));
    EXPECT_EQ(again.size(), made->size());
    EXPECT_EQ(fingerprint(again.fingerprint_key(), "text"),
              fingerprint(made->fingerprint_key(), "text"));
}

TEST(Zone, TakesAllRandomOctetsThatItAsksFor) {
    SharedRegion first(kMegabyte);
    SharedRegion second(kMegabyte);
    std::vector<std::uint8_t> random(Zone::kRandomSize, 1);
    ASSERT_EQ(Zone::format(first.bytes(), random), Zone::Problem::kNone);
    for (const std::size_t at : {std::size_t{0}, sizeof(SipKey) - 1, sizeof(SipKey),
                                 random.size() / 2, random.size() - 1}) {
        std::vector<std::uint8_t> other = random;
        other[at] = 2;
        ASSERT_EQ(Zone::format(second.bytes(), other), Zone::Problem::kNone);
        EXPECT_FALSE(std::ranges::equal(first.bytes(), second.bytes())) << at;
    }
}

TEST(Zone, RefusesMemoryThatIsNotOneOfOurs) {
    TestZone zone;
    const std::span<std::byte> memory = zone.bytes();
    auto* header = reinterpret_cast<ZoneHeader*>(memory.data());
    const auto with = [&](auto& member, auto value) {
        const auto before = static_cast<decltype(value)>(member);
        member = value;
        const auto problem = Zone::check(memory);
        member = before;
        return problem;
    };
    EXPECT_EQ(with(header->magic, header->magic + 1), Zone::Problem::kForeign);
    EXPECT_EQ(with(header->layout_version, kLayoutVersion + 1), Zone::Problem::kOtherLayout);
    EXPECT_EQ(with(header->size, header->size + 64), Zone::Problem::kOtherLayout);
    EXPECT_EQ(with(header->dirty, std::uint32_t{1}), Zone::Problem::kUnfinished);
    EXPECT_EQ(Zone::check(memory.first(kMinZone - 64)), Zone::Problem::kTooSmall);
    EXPECT_EQ(Zone::check(memory), Zone::Problem::kNone);
}

TEST(Zone, OfZerosIsNoZone) {
    const SharedRegion region(kMegabyte);
    EXPECT_EQ(Zone::check(region.bytes()), Zone::Problem::kForeign);
    const SharedRegion small(kMinZone / 2);
    EXPECT_EQ(Zone::format(small.bytes(), std::vector<std::uint8_t>(Zone::kRandomSize)),
              Zone::Problem::kTooSmall);
}

TEST(ZoneWriter, HasTheLockWhileItLivesAndOnlyThen) {
    TestZone zone;
    {
        const auto writer = zone->try_write();
        EXPECT_TRUE(writer);
        EXPECT_FALSE(zone->try_write()) << "one at a time";
    }
    EXPECT_TRUE(zone->try_write());
    zone.taken = true;
    EXPECT_FALSE(zone->try_write());
    EXPECT_EQ(zone.writes, 2) << "who did not get it does not give it back";
}

TEST(Zone, TakesTheSeedOfTheOneBeforeIt) {
    TestZone old;
    TestZone fresh;
    auto* header = reinterpret_cast<ZoneHeader*>(fresh.bytes().data());
    header->seed[0] = static_cast<std::uint8_t>(header->seed[0] + 1);
    ASSERT_NE(fresh->seed(), old->seed());
    fresh->adopt_seed(*old);
    EXPECT_EQ(fresh->seed(), old->seed());
}

// Entries of every size, most of them short-lived, far more than there is room for; then time
// passes. How many of `wanted` newcomers the table keeps afterwards.
std::size_t kept_after(Table& table, bool churned, std::size_t wanted) {
    constexpr std::uint32_t kStart = 1000;
    constexpr std::uint32_t kLater = 100000;
    std::mt19937_64 random(14);
    std::vector<std::uint64_t> payload(table.payload_words(), 5);
    for (int i = 0; churned && i < 50000; ++i) {
        const Fingerprint key{random(), random()};
        const auto now = static_cast<std::uint32_t>(kStart + i / 200);
        const auto life = static_cast<std::uint32_t>(1 + random() % 3000);
        table.insert(key, now, now + life, std::span(payload).first(random() % payload.size()));
    }
    std::mt19937_64 names(15);
    std::vector<Fingerprint> keys;
    for (std::size_t i = 0; i < wanted; ++i) {
        keys.push_back({names(), names()});
        table.insert(keys.back(), kLater, kLater + 60, payload);
    }
    return static_cast<std::size_t>(std::ranges::count_if(
        keys, [&](const Fingerprint& key) { return table.find(key, kLater, payload); }));
}

TEST(ZoneChurn, LeavesAllItsRoomToThoseWhoComeAfterIt) {
    TestZone fresh;
    TestZone used;
    for (const auto table :
         {&Zone::verdicts, &Zone::records, &Zone::large_records, &Zone::unknown_keys}) {
        Table& before = (*fresh).*table;
        Table& after = (*used).*table;
        const std::size_t wanted = before.capacity() * 8 / 10;
        const std::size_t usual = kept_after(before, false, wanted);
        EXPECT_GE(usual, wanted * 9 / 10);
        EXPECT_GE(kept_after(after, true, wanted) * 100, usual * 95);
        EXPECT_LE(after.occupied(), after.capacity());
    }
}

}  // namespace
}  // namespace gate::cache
