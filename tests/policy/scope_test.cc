#include "policy/scope.h"

#include <gtest/gtest.h>

namespace gate::policy {
namespace {

TEST(ScopePattern, MatchesByteForByteWithoutWildcards) {
    EXPECT_TRUE(scope_pattern_matches("orders:read", "orders:read"));
    EXPECT_TRUE(scope_pattern_matches("orders", "orders"));
    for (const char* scope :
         {"orders:Read", "orders:rea", "orders:reads", "orders", "orders:read:x", "xorders:read",
          "read", "orders:", ":read", "orders:read:", "orders::read"}) {
        EXPECT_FALSE(scope_pattern_matches("orders:read", scope)) << scope;
    }
}

TEST(ScopePattern, TakesOnePartForAWildcardInside) {
    EXPECT_TRUE(scope_pattern_matches("*:read", "orders:read"));
    EXPECT_FALSE(scope_pattern_matches("*:read", "read"));
    EXPECT_FALSE(scope_pattern_matches("*:read", "a:b:read"));
    EXPECT_FALSE(scope_pattern_matches("*:read", "orders:write"));
    EXPECT_TRUE(scope_pattern_matches("proxy:*:view", "proxy:eu:view"));
    EXPECT_FALSE(scope_pattern_matches("proxy:*:view", "proxy:view"));
    EXPECT_FALSE(scope_pattern_matches("proxy:*:view", "proxy:eu:west:view"));
    EXPECT_FALSE(scope_pattern_matches("proxy:*:view", "proxy:eu:view:x"));
    EXPECT_TRUE(scope_pattern_matches("*:*:c", "a:b:c"));
}

TEST(ScopePattern, TakesOneOrMorePartsForTheLastWildcard) {
    EXPECT_TRUE(scope_pattern_matches("*", "orders"));
    EXPECT_TRUE(scope_pattern_matches("*", "orders:read:all"));
    EXPECT_TRUE(scope_pattern_matches("orders:*", "orders:read"));
    EXPECT_TRUE(scope_pattern_matches("orders:*", "orders:read:all"));
    EXPECT_FALSE(scope_pattern_matches("orders:*", "orders"));
    EXPECT_FALSE(scope_pattern_matches("orders:*", "order:read"));
    EXPECT_TRUE(scope_pattern_matches("*:*", "a:b:c"));
    EXPECT_FALSE(scope_pattern_matches("*:*", "a"));
}

TEST(ScopePattern, NeverCoversAnEmptyPart) {
    for (const char* scope : {"", "orders:", "orders::x", "orders:x:"}) {
        EXPECT_FALSE(scope_pattern_matches("orders:*", scope)) << scope;
    }
    EXPECT_FALSE(scope_pattern_matches("*:read", ":read"));
    EXPECT_FALSE(scope_pattern_matches("*", ":"));
    EXPECT_FALSE(scope_pattern_matches("*", "a:"));
    EXPECT_FALSE(scope_pattern_matches("*", ":a"));
    EXPECT_TRUE(scope_pattern_matches("orders:", "orders:"));
}

TEST(ScopePattern, NeverMatchesAnEmptyScope) {
    EXPECT_FALSE(scope_pattern_matches("", ""));
    EXPECT_FALSE(scope_pattern_matches("*", ""));
    EXPECT_FALSE(scope_pattern_matches("", "a"));
}

TEST(ScopePattern, TakesAWildcardInAScopeLiterally) {
    EXPECT_TRUE(scope_pattern_matches("orders:*", "orders:*"));
    EXPECT_TRUE(scope_pattern_matches("*", "*"));
    EXPECT_FALSE(scope_pattern_matches("*", "orders:*"));
    EXPECT_FALSE(scope_pattern_matches("orders:read", "orders:*"));
    EXPECT_FALSE(scope_pattern_matches("orders:*", "orders:*:x"));
}

TEST(ScopePattern, TakesAStarInsideAPartLiterally) {
    EXPECT_FALSE(scope_pattern_matches("orders:re*", "orders:read"));
    EXPECT_FALSE(scope_pattern_matches("**", "orders"));
    EXPECT_FALSE(scope_pattern_matches("orders:**", "orders:a"));
}

TEST(SafeVariablePart, RefusesWhatCouldWidenAScope) {
    EXPECT_TRUE(is_safe_variable_part("7"));
    EXPECT_TRUE(is_safe_variable_part("tenant-a"));
    for (const char* bad : {"", "*", ":", "a:b", "a*", "*a", "a:"})
        EXPECT_FALSE(is_safe_variable_part(bad)) << bad;
}

}  // namespace
}  // namespace gate::policy
