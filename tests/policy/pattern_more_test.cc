// Limits of expressions and edges of the character classes that the policy layer spells out.
#include <gtest/gtest.h>

#include "policy/challenge.h"
#include "policy/reply_template.h"
#include "policy/requirement.h"

namespace {

using namespace gate::policy;

TEST(PatternLimits, StopLongBeforeTheLibraryWould) {
    // About a million steps: a tenth of PCRE2's own limit, ten times ours.
    const auto steps = Pattern::compile("^(a+)+$");
    ASSERT_TRUE(steps);
    EXPECT_EQ(steps->matches(std::string(18, 'a') + "b"), MatchResult::kUndecided);
}

TEST(PatternLimits, CountNesting) {
    const auto nested = Pattern::compile("^(((a)|b)|c)*d");
    ASSERT_TRUE(nested);
    EXPECT_EQ(nested->matches(std::string(4000, 'a') + "ed"), MatchResult::kUndecided);
}

TEST(ReplyFieldNames, HoldEveryLetterDigitAndUnderscore) {
    const std::string name = "azAZ09_bB1";
    const auto reply = ReplyTemplate::parse(R"({"a":"$)" + name + R"("})", {name});
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->render([](std::string_view) { return std::string("7"); }), R"({"a":7})");
    for (const char c : {'`', '{', '@', '[', '/', ':', '-', '^'}) {
        const auto other = ReplyTemplate::parse(std::string(R"({"a":"$x)") + c + R"("})", {"x"});
        ASSERT_TRUE(other) << c;
        EXPECT_EQ(other->render([](std::string_view) { return std::string("7"); }),
                  std::string(R"({"a":"7)") + c + R"("})");
    }
}

TEST(ReplyArrays, SeparateElementsOfOneCharacter) {
    const auto reply = ReplyTemplate::parse(R"({"a":[1,2,"$x"]})", {"x"});
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->render([](std::string_view) { return std::string("3"); }), R"({"a":[1,2,3]})");
}

TEST(BrowserNavigation, ReadsMediaTypesInAnyCase) {
    EXPECT_TRUE(is_browser_navigation("GET", "", "TEXT/HTML"));
    EXPECT_TRUE(is_browser_navigation("GET", "", "Text/Html, application/JSON;q=0.9"));
    EXPECT_FALSE(is_browser_navigation("GET", "", "text/html;q=0, */*;q=0.1"));
}

}  // namespace
