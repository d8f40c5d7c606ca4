#include "policy/change_damper.h"

#include <gtest/gtest.h>

namespace gate::policy {
namespace {

constexpr HealthState kUp = HealthState::kConnected;
constexpr HealthState kDown = HealthState::kDisconnected;

TEST(ChangeDamper, TellsAChangeAtOnce) {
    ChangeDamper damper;
    EXPECT_FALSE(damper.take(0));
    damper.changed(kUp, kDown);
    const auto told = damper.take(1000);
    ASSERT_TRUE(told);
    EXPECT_EQ(told->before, kUp);
    EXPECT_EQ(told->now, kDown);
    EXPECT_EQ(told->left_out, 0u);
    EXPECT_FALSE(damper.take(1000)) << "once";
}

TEST(ChangeDamper, TellsEachStateAFewTimesAMinute) {
    ChangeDamper damper;
    unsigned told = 0;
    for (std::uint64_t now = 0; now < ChangeDamper::kMinute; now += 500) {
        now % 1000 == 0 ? damper.changed(kUp, kDown) : damper.changed(kDown, kUp);
        told += damper.take(now) ? 1 : 0;
    }
    EXPECT_EQ(told, 2 * ChangeDamper::kMost);
}

TEST(ChangeDamper, SaysInTheEndWhatIsTrueAndHowOftenItChanged) {
    ChangeDamper damper;
    std::uint64_t now = 0;
    HealthState last = kUp;
    for (unsigned i = 0; i < 13; ++i, now += 10) {
        i % 2 == 0 ? damper.changed(kUp, kDown) : damper.changed(kDown, kUp);
        if (const auto told = damper.take(now)) last = told->now;
    }
    EXPECT_EQ(last, kUp) << "which it is not any more";
    EXPECT_FALSE(damper.take(ChangeDamper::kMinute - 1));
    const auto told = damper.take(ChangeDamper::kMinute);
    ASSERT_TRUE(told);
    EXPECT_EQ(told->before, kUp);
    EXPECT_EQ(told->now, kDown);
    EXPECT_EQ(told->left_out, 4u);
}

TEST(ChangeDamper, SaysNothingOfWhatIsAgainAsItWasTold) {
    ChangeDamper damper;
    for (unsigned i = 0; i < 2 * ChangeDamper::kMost + 2; ++i) {
        i % 2 == 0 ? damper.changed(kUp, kDown) : damper.changed(kDown, kUp);
        (void)damper.take(i);
    }
    EXPECT_FALSE(damper.take(ChangeDamper::kMinute));
    damper.changed(kUp, kDown);
    const auto told = damper.take(ChangeDamper::kMinute);
    ASSERT_TRUE(told);
    EXPECT_EQ(told->left_out, 2u) << "which is said when it changes again";
}

}  // namespace
}  // namespace gate::policy
