#include "base/local_ptr.h"

#include <gtest/gtest.h>

#include <utility>

namespace gate {
namespace {

struct Counted : LocalCount {
    explicit Counted(int& living) : living_(living) { ++living_; }
    ~Counted() { --living_; }
    int& living_;
};

TEST(LocalPtr, TheLastOwnerDeletes) {
    int living = 0;
    LocalPtr<Counted> first = make_local<Counted>(living);
    {
        const LocalPtr<Counted> second = first;
        EXPECT_EQ(second, first);
        first = nullptr;
        EXPECT_EQ(living, 1);
    }
    EXPECT_EQ(living, 0);
}

TEST(LocalPtr, AnotherObjectTakesThePlace) {
    int old = 0;
    int fresh = 0;
    LocalPtr<Counted> pointer = make_local<Counted>(old);
    pointer = make_local<Counted>(fresh);
    EXPECT_EQ(old, 0);
    EXPECT_EQ(fresh, 1);
}

TEST(LocalPtr, KeepsItselfWhenAssignedToItself) {
    int living = 0;
    LocalPtr<Counted> pointer = make_local<Counted>(living);
    const LocalPtr<Counted>& same = pointer;
    pointer = same;
    EXPECT_EQ(living, 1);
    EXPECT_TRUE(pointer);
}

TEST(LocalPtr, IsEmptyWhenMovedFrom) {
    int living = 0;
    LocalPtr<Counted> from = make_local<Counted>(living);
    const LocalPtr<Counted> to = std::move(from);
    EXPECT_FALSE(from);
    EXPECT_TRUE(to);
    EXPECT_EQ(living, 1);
}

}  // namespace
}  // namespace gate
