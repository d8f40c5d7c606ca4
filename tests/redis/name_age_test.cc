#include "redis/name_age.h"

#include <gtest/gtest.h>

namespace gate::redis {
namespace {

TEST(NameAge, IsDueInTheBeginning) {
    const NameAge age;
    EXPECT_TRUE(age.due(0));
    EXPECT_TRUE(age.due(123456));
}

TEST(NameAge, IsDueWhenItsLifetimeIsOver) {
    NameAge age;
    age.asked(5000);
    age.answered(5100, 60'000);
    EXPECT_FALSE(age.due(5100));
    EXPECT_FALSE(age.due(65'099));
    EXPECT_TRUE(age.due(65'100));
}

TEST(NameAge, IsAskedForNoMoreOftenThanOnceASecond) {
    NameAge age;
    age.asked(5000);
    age.answered(5001, 0);
    EXPECT_FALSE(age.due(5001));
    EXPECT_FALSE(age.due(5999));
    EXPECT_TRUE(age.due(6000));
}

TEST(NameAge, IsDueASecondAfterAQuestionWithoutAnswer) {
    NameAge age;
    age.asked(5000);
    EXPECT_FALSE(age.due(5999));
    EXPECT_TRUE(age.due(6000));
    age.answered(6000, 10'000);
    age.asked(16'000);
    EXPECT_FALSE(age.due(16'500));
    EXPECT_TRUE(age.due(17'000));
}

TEST(NameAge, WaitsTheWholeTimeWhenTheClockGoesBack) {
    NameAge age;
    age.asked(5000);
    age.answered(5000, 2000);
    EXPECT_FALSE(age.due(10));
}

}  // namespace
}  // namespace gate::redis
