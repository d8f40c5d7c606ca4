#include "base/reason.h"

#include <gtest/gtest.h>

#include <set>

namespace gate {
namespace {

TEST(ReasonCode, IsUniqueAndFindsItsReasonAgain) {
    std::set<std::string_view> codes;
    for (std::size_t i = 0; i < kReasonCount; ++i) {
        const auto reason = static_cast<Reason>(i);
        EXPECT_TRUE(codes.insert(code(reason)).second) << code(reason);
        EXPECT_EQ(find_reason(code(reason)), reason);
    }
    EXPECT_EQ(code(Reason::kNone), "");
    EXPECT_EQ(find_reason("no such code"), std::nullopt);
}

TEST(ReasonClass, OfEveryRefusalHasAStatus) {
    EXPECT_EQ(refusal_class(Reason::kNone), RefusalClass::kNone);
    for (std::size_t i = 1; i < kReasonCount; ++i) {
        EXPECT_GE(status_of(refusal_class(static_cast<Reason>(i))), 400) << i;
    }
}

TEST(ReasonClass, OfAnUnknownValueIsInternal) {
    const auto unknown = static_cast<Reason>(250);
    EXPECT_EQ(code(unknown), "internal_error");
    EXPECT_EQ(refusal_class(unknown), RefusalClass::kInternal);
    EXPECT_EQ(status_of(static_cast<RefusalClass>(250)), 500);
}

TEST(ReasonStatus, FollowsTheTableOfOutcomes) {
    EXPECT_EQ(status_of(RefusalClass::kNone), 0);
    EXPECT_EQ(status_of(RefusalClass::kNoCredential), 401);
    EXPECT_EQ(status_of(RefusalClass::kInvalidToken), 401);
    EXPECT_EQ(status_of(RefusalClass::kInvalidRequest), 400);
    EXPECT_EQ(status_of(RefusalClass::kInsufficientScope), 403);
    EXPECT_EQ(status_of(RefusalClass::kLoginFailed), 401);
    EXPECT_EQ(status_of(RefusalClass::kBadRequest), 400);
    EXPECT_EQ(status_of(RefusalClass::kMethodNotAllowed), 405);
    EXPECT_EQ(status_of(RefusalClass::kContentTooLarge), 413);
    EXPECT_EQ(status_of(RefusalClass::kMediaType), 415);
    EXPECT_EQ(status_of(RefusalClass::kTooManyRequests), 429);
    EXPECT_EQ(status_of(RefusalClass::kUnavailable), 503);
    EXPECT_EQ(status_of(RefusalClass::kInternal), 500);
}

}  // namespace
}  // namespace gate
