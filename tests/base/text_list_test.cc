#include "base/text_list.h"

#include <gtest/gtest.h>

namespace gate {
namespace {

TEST(Joined, SaysWhatStandsForNothing) {
    EXPECT_EQ(joined({}), "-");
    EXPECT_EQ(joined({}, " ", "none"), "none");
    EXPECT_EQ(joined({"a"}), "a");
    EXPECT_EQ(joined({"a", "b"}), "a, b");
}

}  // namespace
}  // namespace gate
