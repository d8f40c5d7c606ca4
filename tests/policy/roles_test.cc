#include "policy/roles.h"

#include <gtest/gtest.h>

namespace gate::policy {
namespace {

RoleMap map_of(std::string_view text) {
    auto map = RoleMap::parse(text);
    EXPECT_TRUE(map) << map.error();
    return map ? *map : RoleMap();
}

std::string error_of(std::string_view text) {
    const auto map = RoleMap::parse(text);
    return map ? "" : map.error();
}

constexpr std::string_view kStaff =
    "viewer *:read; editor viewer orders:write; admin *; chief editor team:*;";

TEST(RoleMap, GrantsOwnScopes) {
    const RoleMap map = map_of(kStaff);
    EXPECT_TRUE(map.role_grants("viewer", "orders:read"));
    EXPECT_FALSE(map.role_grants("viewer", "orders:write"));
    EXPECT_TRUE(map.role_grants("admin", "anything:at:all"));
}

TEST(RoleMap, GrantsScopesOfIncludedRoles) {
    const RoleMap map = map_of(kStaff);
    EXPECT_TRUE(map.role_grants("editor", "orders:write"));
    EXPECT_TRUE(map.role_grants("editor", "users:read"));
    EXPECT_FALSE(map.role_grants("editor", "users:write"));
    EXPECT_TRUE(map.role_grants("chief", "users:read"));
    EXPECT_TRUE(map.role_grants("chief", "orders:write"));
    EXPECT_TRUE(map.role_grants("chief", "team:x:y"));
    EXPECT_FALSE(map.role_grants("chief", "users:write"));
}

TEST(RoleMap, GrantsNothingForUnknownRoles) {
    const RoleMap map = map_of(kStaff);
    for (const char* role : {"", "Viewer", "viewe", "viewer ", "orders:write", "*"}) {
        EXPECT_FALSE(map.role_grants(role, "orders:read")) << role;
    }
    EXPECT_FALSE(map.role_grants("admin", ""));
    EXPECT_FALSE(RoleMap().role_grants("admin", "a"));
}

TEST(RoleMap, DoesNotGrantARoleNameAsAScope) {
    EXPECT_FALSE(map_of(kStaff).role_grants("editor", "viewer"));
}

TEST(RoleMap, IncludesItselfAndWhatItNames) {
    const RoleMap map = map_of(kStaff);
    EXPECT_TRUE(map.role_includes("editor", "editor"));
    EXPECT_TRUE(map.role_includes("editor", "viewer"));
    EXPECT_TRUE(map.role_includes("chief", "viewer"));
    EXPECT_FALSE(map.role_includes("viewer", "editor"));
    EXPECT_FALSE(map.role_includes("admin", "viewer"));
    EXPECT_FALSE(map.role_includes("editor", "orders:write"));
    EXPECT_TRUE(map.role_includes("stranger", "stranger"));
    EXPECT_FALSE(map.role_includes("stranger", "viewer"));
}

TEST(RoleMap, ResolvesRolesDeclaredLater) {
    const RoleMap map = map_of("a b; b c; c x:y;");
    EXPECT_TRUE(map.role_grants("a", "x:y"));
    EXPECT_TRUE(map.role_includes("a", "c"));
    EXPECT_EQ(map.names(), (std::vector<std::string_view>{"a", "b", "c"}));
}

TEST(RoleMap, AllowsTwoWaysToOneRole) {
    const RoleMap map = map_of("top left right; left base; right base; base x;");
    EXPECT_TRUE(map.role_grants("top", "x"));
}

TEST(RoleMap, RefusesCyclesAndNamesThem) {
    EXPECT_EQ(error_of("a a;"), "roles include each other: a -> a");
    EXPECT_EQ(error_of("a b; b a;"), "roles include each other: a -> b -> a");
    EXPECT_EQ(error_of("a b x; b c; c d; d b;"), "roles include each other: b -> c -> d -> b");
    EXPECT_EQ(error_of("a ok; ok x; z z2; z2 z;"), "roles include each other: z -> z2 -> z");
}

TEST(RoleMap, RefusesDuplicatesAndEmptyRoles) {
    EXPECT_EQ(error_of("a x;\nb y;\na z;"), "line 3: role \"a\" is declared twice");
    EXPECT_EQ(error_of("a;"), "line 1: role \"a\" stands for nothing; name scopes or roles");
}

TEST(RoleMap, RefusesBadNames) {
    for (const char* bad : {"", "*", "a*", "a b", "a;", "a{", "a}", "a\"", "a'", "a\\", "$a", "a\n",
                            "a\x7f", "\x1f"}) {
        EXPECT_FALSE(RoleMap().add(bad, {"x"})) << bad;
    }
    for (const char* bad : {"", "a b", "a;", "a{", "a}", "a\"", "a'", "a\\", "$a", "\x7f"}) {
        EXPECT_FALSE(RoleMap().add("r", {"x", bad})) << bad;
    }
    EXPECT_EQ(error_of("a* x;"), "line 1: bad role name \"a*\"");
    EXPECT_EQ(error_of("a $x;"), "line 1: bad item \"$x\" of role \"a\"");
    RoleMap map;
    EXPECT_TRUE(map.add("ROLE_x:y.z-1\xc3\xa9!~", {"!"}));
}

TEST(RoleMap, RefusesWildcardsThatAreNotWholeParts) {
    for (const char* bad : {"orders:re*", "*x", "**", "a:*b:c", "a:b*:c", "*:**"}) {
        const auto added = RoleMap().add("r", {bad});
        ASSERT_FALSE(added) << bad;
        EXPECT_EQ(added.error(), "bad item \"" + std::string(bad) +
                                     "\" of role \"r\"; a '*' must stand alone between colons");
    }
    for (const char* good : {"*", "*:*", "a:*", "*:a", "a:*:b"})
        EXPECT_TRUE(RoleMap().add("r", {good})) << good;
}

TEST(RoleMap, ReadsCommentsBlanksAndLines) {
    const RoleMap map =
        map_of("# staff\n\n  viewer\t*:read ; # may look\r\neditor viewer\n  orders:write;#end");
    EXPECT_TRUE(map.role_grants("editor", "a:read"));
    EXPECT_TRUE(map.role_grants("editor", "orders:write"));
    EXPECT_EQ(map.names().size(), 2u);
    EXPECT_TRUE(map_of("").names().empty());
    EXPECT_TRUE(map_of("# nothing").names().empty());
    EXPECT_EQ(map_of("a b#c;").role_grants("a", "b#c"), true);
}

TEST(RoleMap, NamesTheLineOfAnError) {
    EXPECT_EQ(error_of("a x;\n# c\n\nb y"), "line 4: \"b\" is not ended by ';'");
    EXPECT_EQ(error_of("a x;\n;"), "line 2: bad role name \";\"");
    EXPECT_EQ(error_of("a x;\n\nb\ny\n"), "line 3: \"b\" is not ended by ';'");
}

TEST(RoleMap, LimitsTheNumberOfRoles) {
    RoleMap map;
    for (int i = 0; i < 4096; ++i) ASSERT_TRUE(map.add("r" + std::to_string(i), {"x"}));
    const auto added = map.add("one-more", {"x"});
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error(), "more than 4096 roles");
}

TEST(RoleMap, ClosesALongChain) {
    std::string text = "r0 base:x;";
    for (int i = 1; i < 1000; ++i)
        text += "r" + std::to_string(i) + " r" + std::to_string(i - 1) + ";";
    const RoleMap map = map_of(text);
    EXPECT_TRUE(map.role_grants("r999", "base:x"));
    EXPECT_TRUE(map.role_includes("r999", "r0"));
}

}  // namespace
}  // namespace gate::policy
