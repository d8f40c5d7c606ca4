#include <gtest/gtest.h>

#include <chrono>

#include "policy/requirement.h"

namespace gate::policy {
namespace {

Pattern pattern(std::string_view expression) {
    auto compiled = Pattern::compile(expression);
    EXPECT_TRUE(compiled) << compiled.error();
    return compiled ? *compiled : Pattern();
}

TEST(Pattern, MatchesAnywhereUnlessAnchored) {
    EXPECT_EQ(pattern("b+").matches("abbc"), MatchResult::kYes);
    EXPECT_EQ(pattern("^b+").matches("abbc"), MatchResult::kNo);
    EXPECT_EQ(pattern("^a.*c$").matches("abbc"), MatchResult::kYes);
    EXPECT_EQ(pattern("").matches(""), MatchResult::kYes);
    EXPECT_EQ(pattern("x").matches(""), MatchResult::kNo);
    EXPECT_EQ(pattern("(a)(b)(c)").matches("abc"), MatchResult::kYes);
}

TEST(Pattern, LooksAtEveryOctet) {
    EXPECT_EQ(pattern("^a").matches(std::string_view("\0a", 2)), MatchResult::kNo);
    EXPECT_EQ(pattern("b$").matches(std::string_view("a\0b", 3)), MatchResult::kYes);
    EXPECT_EQ(pattern("^.$").matches("\xff"), MatchResult::kYes);
}

TEST(Pattern, NamesTheErrorOfTheExpression) {
    const auto broken = Pattern::compile("a(b");
    ASSERT_FALSE(broken);
    EXPECT_EQ(broken.error(), "missing closing parenthesis at offset 3");
    EXPECT_FALSE(Pattern::compile("\\C"));
}

TEST(Pattern, DecidesNothingWhereALimitIsHit) {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(pattern("^(a+)+$").matches(std::string(40, 'a') + "b"), MatchResult::kUndecided);
    EXPECT_EQ(pattern("^(a|aa)+[bc]$").matches(std::string(4000, 'a')), MatchResult::kUndecided);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

TEST(Pattern, LimitsTheSubject) {
    EXPECT_EQ(pattern("^a+$").matches(std::string(4096, 'a')), MatchResult::kYes);
    EXPECT_EQ(pattern("^a+$").matches(std::string(4097, 'a')), MatchResult::kUndecided);
    EXPECT_EQ(Pattern().matches("a"), MatchResult::kUndecided);
}

TEST(Pattern, CopiesShareTheExpression) {
    Pattern copy;
    {
        const Pattern original = pattern("^x$");
        copy = original;
    }
    EXPECT_EQ(copy.matches("x"), MatchResult::kYes);
    EXPECT_EQ(copy.matches("y"), MatchResult::kNo);
}

}  // namespace
}  // namespace gate::policy
