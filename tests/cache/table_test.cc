#include "cache/table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <vector>

#include "tests/cache/table_values.h"

namespace gate::cache {
namespace {

using namespace test;

constexpr std::size_t kHead = 64;
constexpr std::size_t kSet = kSlot * Table::kWays;

// A table in memory of its own.
class OwnTable {
public:
    explicit OwnTable(std::size_t bytes)
        : lines_(std::make_unique<Line[]>((bytes + sizeof(Line) - 1) / sizeof(Line))),
          bytes_(bytes),
          table_({reinterpret_cast<std::byte*>(lines_.get()), bytes}, kSlot) {}

    Table* operator->() { return &table_; }
    std::vector<std::byte> copy() const {
        const auto* data = reinterpret_cast<const std::byte*>(lines_.get());
        return {data, data + bytes_};
    }
    std::optional<Payload> find(const Fingerprint& key, std::uint32_t now) {
        Payload payload{};
        if (!table_.find(key, now, payload)) return std::nullopt;
        return payload;
    }
    void insert(std::uint64_t number, std::uint32_t now, std::uint32_t expires,
                std::uint64_t version = 0) {
        table_.insert(key_of(number), now, expires, payload_of(key_of(number), version));
    }
    bool holds(std::uint64_t number, std::uint32_t now) {
        const auto payload = find(key_of(number), now);
        EXPECT_TRUE(!payload || belongs(key_of(number), *payload));
        return payload.has_value();
    }

private:
    struct alignas(64) Line {
        std::byte bytes[64] = {};
    };
    std::unique_ptr<Line[]> lines_;
    std::size_t bytes_;
    Table table_;
};

TEST(Table, KeepsAQuarterOfAMillionTokensInTheVerdictsOfASixtyFourMegabyteZone) {
    const std::size_t share = (std::size_t{64} << 20) * 38 / 64;
    OwnTable table((share - share / 100) / 64 * 64);
    constexpr std::uint64_t kInserted = 260000;
    for (std::uint64_t i = 0; i < kInserted; ++i) table.insert(i, 100, 10000);
    std::size_t found = 0;
    for (std::uint64_t i = 0; i < kInserted; ++i) found += table.holds(i, 101);
    std::printf("found %zu of %llu in %zu slots\n", found,
                static_cast<unsigned long long>(kInserted), table->capacity());
    EXPECT_GE(found, 250000u);
    EXPECT_EQ(table->occupied(), found);
}

TEST(Table, TakesItsGeometryFromTheSizes) {
    OwnTable table(kHead + 3 * kSet + kSet - 64);
    EXPECT_EQ(table->capacity(), 24u);
    EXPECT_EQ(table->payload_words(), kWords);
    EXPECT_EQ(table->occupied(), 0u);
    EXPECT_FALSE(table.holds(1, 0));
    // Zeros are a key like any other, and no entry of empty memory.
    EXPECT_FALSE(table.find({0, 0}, 0));
    table->insert({0, 0}, 1, 2, payload_of({0, 0}, 3));
    EXPECT_EQ(table.find({0, 0}, 1), payload_of({0, 0}, 3));
}

TEST(Table, GivesBackAsManyWordsAsAsked) {
    OwnTable table(kHead + kSet);
    const Fingerprint key = key_of(1);
    table->insert(key, 1, 100, payload_of(key, 7));
    std::uint64_t first[2] = {};
    EXPECT_TRUE(table->find(key, 1, first));
    EXPECT_EQ(first[0], 7u);
    EXPECT_EQ(first[1], payload_of(key, 7)[1]);
    EXPECT_TRUE(table->find(key, 1, {}));
    // What a shorter payload does not name is 0, not what stood there.
    const std::uint64_t shorter[] = {9};
    table->insert(key, 1, 100, shorter);
    EXPECT_EQ(table.find(key, 1), (Payload{9}));
}

TEST(Table, FindsNothingFromTheSecondOfExpiryOn) {
    OwnTable table(kHead + kSet);
    table.insert(1, 100, 200);
    EXPECT_TRUE(table.holds(1, 199));
    EXPECT_FALSE(table.holds(1, 200));
    EXPECT_FALSE(table.holds(1, 0xffffffff));
    EXPECT_EQ(table->occupied(), 1u);
    table.insert(2, 100, 0xffffffff);
    EXPECT_TRUE(table.holds(2, 0xfffffffe));
}

TEST(Table, RemovesAnEntryThatIsReplacedByAnExpiredOne) {
    OwnTable table(kHead + kSet);
    table.insert(1, 100, 200);
    table.insert(1, 150, 150, 1);
    EXPECT_FALSE(table.holds(1, 100));
    EXPECT_EQ(table->occupied(), 0u);
    table.insert(2, 150, 150);
    EXPECT_EQ(table->occupied(), 0u);
}

TEST(Table, ReplacesAnEntryInPlace) {
    OwnTable table(kHead + 2 * kSet);
    for (std::uint64_t version = 0; version < 50; ++version) {
        for (std::uint64_t i = 0; i < 6; ++i) table.insert(i, 100, 200, version);
        for (std::uint64_t i = 0; i < 6; ++i) {
            EXPECT_EQ(table.find(key_of(i), 100), payload_of(key_of(i), version));
        }
    }
    EXPECT_EQ(table->occupied(), 6u);
}

TEST(Table, ChangesOneWordOfAnEntry) {
    OwnTable table(kHead + kSet);
    table.insert(1, 100, 200, 5);
    EXPECT_TRUE(table->update(key_of(1), kMark, mark_of(key_of(1), 77)));
    EXPECT_EQ(table.find(key_of(1), 100), payload_of(key_of(1), 5, 77));
    EXPECT_FALSE(table->update(key_of(2), kMark, 1));
    EXPECT_FALSE(table.holds(2, 100));
}

TEST(Table, ForgetsWhatIsErased) {
    OwnTable table(kHead + kSet);
    for (std::uint64_t i = 0; i < 3; ++i) table.insert(i, 100, 200);
    EXPECT_TRUE(table->erase(key_of(1)));
    EXPECT_FALSE(table->erase(key_of(1)));
    EXPECT_FALSE(table->update(key_of(1), 0, 1));
    EXPECT_FALSE(table.holds(1, 100));
    EXPECT_TRUE(table.holds(0, 100));
    EXPECT_TRUE(table.holds(2, 100));
    EXPECT_EQ(table->occupied(), 2u);
}

TEST(Table, NeverFindsAnEntryUnderAnotherKey) {
    OwnTable table(kHead + 16 * kSet);
    for (std::uint64_t i = 0; i < 100; ++i) table.insert(i, 100, 200);
    for (std::uint64_t i = 0; i < 100; ++i) {
        const Fingerprint key = key_of(i);
        for (unsigned bit = 0; bit < 64; ++bit) {
            const std::uint64_t mask = std::uint64_t{1} << bit;
            EXPECT_FALSE(table.find({key.high ^ mask, key.low}, 100));
            EXPECT_FALSE(table.find({key.high, key.low ^ mask}, 100));
        }
        EXPECT_FALSE(table.find({key.low, key.high}, 100));
    }
    for (std::uint64_t i = 1000; i < 100000; ++i) EXPECT_FALSE(table.holds(i, 100));
}

TEST(Table, PrefersFreeThenExpiredThenTheLeastRecentlyUsedSlot) {
    OwnTable table(kHead + kSet);
    for (std::uint64_t i = 0; i < 7; ++i) table.insert(i, 1000, i == 3 ? 1500 : 9000);
    table.insert(7, 1500, 9000);  // the one free slot, although 3 has expired
    EXPECT_EQ(table->occupied(), 8u);
    for (std::uint64_t i = 0; i < 8; ++i) EXPECT_EQ(table.holds(i, 1500), i != 3);
    table.insert(8, 1600, 9000);  // in place of 3
    EXPECT_EQ(table->occupied(), 8u);
    for (const std::uint64_t i : {8, 6, 0, 7, 2, 1, 4}) {
        EXPECT_TRUE(table.holds(i, static_cast<std::uint32_t>(1700 + i)));
    }
    EXPECT_TRUE(table.holds(5, 1600));
    table.insert(9, 2000, 9000);
    EXPECT_FALSE(table.holds(5, 2000));
    for (const std::uint64_t i : {0, 1, 2, 4, 6, 7, 8, 9}) EXPECT_TRUE(table.holds(i, 2000));
}

TEST(Table, WritesOnceASecondWhatItsReadersUse) {
    OwnTable table(kHead + kSet);
    table.insert(1, 100, 200);
    EXPECT_TRUE(table.holds(1, 100));
    const auto before = table.copy();
    EXPECT_TRUE(table.holds(1, 100));
    EXPECT_EQ(table.copy(), before);
    EXPECT_TRUE(table.holds(1, 101));
    EXPECT_NE(table.copy(), before);
}

// 1,000 entries in use, each every few seconds, beside ten times as many newcomers as there are
// slots.
TEST(Table, KeepsWhatIsUsedThroughAFloodOfNewcomers) {
    OwnTable table(kHead + 1000 * kSet);
    std::uint64_t newcomer = 1000000;
    std::size_t hits = 0, asked = 0;
    for (std::uint64_t i = 0; i < 1000; ++i) table.insert(i, 1000, 100000);
    for (std::uint32_t now = 1000; now < 1060; ++now) {
        for (std::uint64_t i = now % 5; i < 1000; i += 5, ++asked) {
            if (table.holds(i, now)) {
                ++hits;
            } else {
                table.insert(i, now, 100000);
            }
        }
        for (int i = 0; i < 80000 / 60; ++i) table.insert(newcomer++, now, 100000);
    }
    std::printf("hits of what is in use: %zu of %zu\n", hits, asked);
    EXPECT_GE(hits, asked * 99 / 100);
}

// The order in which one full set gives up entries, against a plain list.
TEST(Table, EvictsInTheOrderOfUse) {
    OwnTable table(kHead + kSet);
    std::mt19937 random(11);
    std::map<std::uint64_t, std::uint32_t> used;  // by number
    // Steps of 64 s: an unused entry counts as 30 s older, which never makes two equally old.
    for (std::uint32_t now = 6400; now < 6400 + 64 * 4000; now += 64) {
        const std::uint64_t number = random() % 12;
        if (table.holds(number, now)) {
            ASSERT_TRUE(used.contains(number));
            used[number] = now;
            continue;
        }
        ASSERT_FALSE(used.contains(number)) << "lost at " << now;
        if (used.size() == Table::kWays) {
            used.erase(
                std::ranges::min_element(used, {}, [](const auto& entry) { return entry.second; }));
        }
        used[number] = now - 30;
        table.insert(number, now, 0xffffffff);
    }
    EXPECT_EQ(used.size(), Table::kWays);
}

struct Modelled {
    Payload payload;
    std::uint32_t expires;
};

// Random operations against a map. `numbers` keys; returns how many entries the table gave up.
std::size_t run_against_model(std::size_t sets, std::uint64_t numbers, unsigned seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    OwnTable table(kHead + sets * kSet);
    std::mt19937 random(seed);
    std::map<std::uint64_t, Modelled> model;
    std::size_t lost = 0, may_lose = 0;
    std::uint32_t now = 1000;
    const auto check = [&](std::uint64_t number) {
        const auto found = table.find(key_of(number), now);
        const auto known = model.find(number);
        const bool live = known != model.end() && known->second.expires > now;
        if (found) {
            ASSERT_TRUE(live) << number;
            ASSERT_EQ(*found, known->second.payload) << number;
        } else if (live) {
            model.erase(known);
            ++lost;
        }
    };
    for (std::uint64_t step = 1; step <= 40000; ++step) {
        const std::uint64_t number = random() % numbers;
        const Fingerprint key = key_of(number);
        const unsigned dice = random() % 16;
        if (dice < 6) {
            const std::uint32_t expires = now + random() % 60;
            const std::size_t before = table->occupied();
            table->insert(key, now, expires, payload_of(key, step));
            may_lose += table->occupied() == before;
            model.insert_or_assign(number, Modelled{payload_of(key, step), expires});
        } else if (dice < 8) {
            const bool updated = table->update(key, kMark, mark_of(key, step & 0xffff));
            const auto known = model.find(number);
            if (updated && known != model.end()) {
                known->second.payload[kMark] = mark_of(key, step & 0xffff);
            }
            EXPECT_TRUE(!updated || known != model.end());
        } else if (dice < 9) {
            EXPECT_TRUE(!table->erase(key) || model.contains(number));
            model.erase(number);
        } else if (dice < 10) {
            now += random() % 4;
        }
        check(number);
        check(random() % numbers);
        if (testing::Test::HasFatalFailure()) return 0;
        EXPECT_LE(table->occupied(), table->capacity());
        EXPECT_LE(lost, may_lose);
    }
    return lost;
}

TEST(Table, BehavesAsAMapWhileThereIsRoom) {
    for (unsigned seed = 1; seed <= 5; ++seed) {
        std::printf("seed %u\n", seed);
        EXPECT_EQ(run_against_model(1, 8, seed), 0u);
        EXPECT_EQ(run_against_model(64, 60, seed), 0u);
    }
}

TEST(Table, BehavesAsAMapThatForgetsWhereThereIsNoRoom) {
    for (unsigned seed = 1; seed <= 5; ++seed) {
        std::printf("seed %u\n", seed);
        EXPECT_GT(run_against_model(1, 30, seed), 0u);
        EXPECT_GT(run_against_model(4, 150, seed), 0u);
    }
}

}  // namespace
}  // namespace gate::cache
