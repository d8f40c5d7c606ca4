// The set beside a plain map: the same operations, the same answers.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "cache/revocations.h"
#include "tests/support/shared_region.h"

namespace gate::cache {
namespace {

using Put = Revocations::Put;

// What revocations.h promises, in the plainest way.
class Model {
public:
    struct Times {
        std::uint32_t issued_until;
        std::uint32_t expires;
    };

    // The answer that the set has to give, but for kFull.
    Put put(const RevocationEntry& entry, std::uint32_t now) {
        if (gone(entry.expires, now)) return Put::kKnown;
        const auto [at, added] =
            entries_.try_emplace(entry.digest.low, Times{entry.issued_until, entry.expires});
        Times& times = at->second;
        if (added) return Put::kAdded;
        if (gone(times.expires, now)) {
            times = {entry.issued_until, entry.expires};
        } else {
            times = {std::max(times.issued_until, entry.issued_until),
                     std::max(times.expires, entry.expires)};
        }
        return Put::kKnown;
    }
    void forget(const RevocationDigest& digest) { entries_.erase(digest.low); }
    bool revoked(const RevocationDigest& digest, std::uint32_t issued, std::uint32_t now) const {
        const auto found = entries_.find(digest.low);
        return found != entries_.end() && !gone(found->second.expires, now) &&
               issued <= found->second.issued_until;
    }
    void sweep(std::uint32_t now) {
        std::erase_if(entries_, [now](const auto& e) { return gone(e.second.expires, now); });
    }
    std::size_t size() const { return entries_.size(); }

private:
    static bool gone(std::uint32_t expires, std::uint32_t now) {
        return expires != kNeverForgotten && expires <= now;
    }
    std::map<std::uint64_t, Times> entries_;
};

struct Run {
    std::uint64_t seed;
    std::size_t buckets;
    std::uint64_t items;
};

// Items have few distinct high halves in some runs, so that they meet in buckets and slots.
void play(const Run& run) {
    const std::size_t size = Revocations::size_for(run.buckets);
    test::SharedRegion region(size);
    Revocations set(region.bytes().first(size));
    Model model;
    std::mt19937_64 random(run.seed);
    const auto below = [&](std::uint64_t n) { return random() % n; };
    std::uint32_t now = 1000;
    std::uint64_t full = 0;
    for (int step = 0; step < 6000; ++step) {
        const std::uint64_t item = 1 + below(run.items);
        const RevocationDigest digest{
            item % 5 == 0 ? 0x8000000080000000 : item * 0x9e3779b97f4a7c15, item};
        const auto instant = [&] { return static_cast<std::uint32_t>(now - 20 + below(60)); };
        const std::uint32_t issued = instant();
        switch (below(8)) {
            case 0:
            case 1:
            case 2: {
                const RevocationEntry entry{digest, below(4) ? instant() : kEveryInstant,
                                            below(4) ? instant() : kNeverForgotten};
                const std::uint64_t changes = set.changes();
                const bool before = model.revoked(digest, issued, now);
                const Put put = set.put(entry, now);
                if (put == Put::kFull) {
                    ++full;
                    ASSERT_TRUE(set.overflowed());
                    break;
                }
                // An expired entry may have given way in the set and not in the model.
                const Put wanted = model.put(entry, now);
                if (put == Put::kKnown) {
                    ASSERT_EQ(wanted, put) << "seed " << run.seed;
                }
                if (model.revoked(digest, issued, now) && !before) {
                    ASSERT_GT(set.changes(), changes);
                }
                break;
            }
            case 3:
                if (below(4) == 0) ++now;
                break;
            case 4:
                if (below(10) == 0) {
                    ASSERT_EQ(set.sweep(0, run.buckets, now), 0U);
                    model.sweep(now);
                    ASSERT_EQ(set.size(), model.size()) << "seed " << run.seed << " step " << step;
                }
                break;
            default:
                ASSERT_EQ(set.revoked(digest, issued, now), model.revoked(digest, issued, now))
                    << "seed " << run.seed << " step " << step << " item " << item;
                if (model.revoked(digest, issued, now)) {
                    ASSERT_TRUE(set.may_hold(digest.high, issued, now));
                }
        }
    }
    EXPECT_EQ(full != 0, set.overflowed());
}

TEST(RevocationsModel, AnswersLikeAMapWhereThereIsRoom) {
    for (std::uint64_t seed = 1; seed <= 30; ++seed) play({seed, 64, 300});
}

TEST(RevocationsModel, AnswersLikeAMapWhenNearlyFull) {
    for (std::uint64_t seed = 1; seed <= 30; ++seed) play({seed, 6, 60});
}

TEST(RevocationsModel, AnswersLikeAMapWhenTooSmall) {
    for (std::uint64_t seed = 1; seed <= 30; ++seed) play({seed, 3, 100});
}

}  // namespace
}  // namespace gate::cache
