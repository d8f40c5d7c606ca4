#include "policy/principal.h"

#include <gtest/gtest.h>

namespace gate::policy {
namespace {

std::shared_ptr<const RoleMap> staff() {
    auto map = RoleMap::parse("viewer *:read; editor viewer orders:write;");
    EXPECT_TRUE(map);
    return std::make_shared<const RoleMap>(*std::move(map));
}

TEST(JoinedText, IsMadeOnce) {
    const JoinedText joined;
    EXPECT_EQ(joined.of(TextList{"a", "b"}, ','), "a,b");
    EXPECT_EQ(joined.of(TextList{"other"}, ','), "a,b");
    const JoinedText unsafe;
    EXPECT_FALSE(unsafe.of(TextList{"a,b"}, ','));
    EXPECT_FALSE(unsafe.of(TextList{"a"}, ','));
}

TEST(Principal, SaysItsListsAsText) {
    Principal principal;
    principal.scopes = {"a:r", "b,c"};
    principal.roles = {"x", "y z"};
    principal.groups = {"g,h"};
    EXPECT_EQ(principal.scopes_text(), "a:r b,c");
    EXPECT_EQ(principal.roles_text(), "x,y z");
    EXPECT_FALSE(principal.groups_text()) << "nobody could take it apart again";
}

TEST(CredentialKind, HasNames) {
    EXPECT_EQ(name_of(CredentialKind::kNone), "none");
    EXPECT_EQ(name_of(CredentialKind::kJwt), "jwt");
    EXPECT_EQ(name_of(CredentialKind::kKey), "key");
    EXPECT_EQ(name_of(CredentialKind::kBasic), "basic");
    EXPECT_EQ(name_of(static_cast<CredentialKind>(9)), "none");
}

TEST(PrincipalScope, IsWholeAndExact) {
    Principal principal;
    principal.scopes = {"orders:read", "admin*"};
    EXPECT_TRUE(principal.has_scope("orders:read"));
    for (const char* scope :
         {"orders:rea", "orders:reads", "Orders:read", "orders", "", "admin", "adminx"}) {
        EXPECT_FALSE(principal.has_scope(scope)) << scope;
    }
    EXPECT_TRUE(principal.has_scope("admin*"));
}

TEST(PrincipalScope, TakesWildcardsOfATokenAsText) {
    Principal principal;
    principal.scopes = {"*", "orders:*"};
    EXPECT_FALSE(principal.has_scope("orders:read"));
    EXPECT_TRUE(principal.has_scope("orders:*"));
}

TEST(PrincipalScope, TakesWildcardsOfARecordAsPatterns) {
    Principal principal;
    principal.scopes = {"orders:*"};
    principal.scopes_are_patterns = true;
    EXPECT_TRUE(principal.has_scope("orders:read"));
    EXPECT_FALSE(principal.has_scope("users:read"));
    EXPECT_FALSE(principal.has_scope(""));
}

TEST(PrincipalScope, NeverHasAnEmptyOne) {
    Principal principal;
    principal.scopes = {""};
    EXPECT_FALSE(principal.has_scope(""));
}

TEST(PrincipalScope, ComesFromRolesThroughTheMap) {
    Principal principal;
    principal.roles = {"stranger", "editor"};
    EXPECT_FALSE(principal.has_scope("orders:write"));
    principal.role_map = staff();
    EXPECT_TRUE(principal.has_scope("orders:write"));
    EXPECT_TRUE(principal.has_scope("users:read"));
    EXPECT_FALSE(principal.has_scope("users:write"));
    principal.roles = {"*"};
    EXPECT_FALSE(principal.has_scope("users:read"));
    principal.roles = {};
    EXPECT_FALSE(principal.has_scope("users:read"));
}

TEST(PrincipalRole, IsExactOrIncluded) {
    Principal principal;
    principal.roles = {"editor"};
    EXPECT_TRUE(principal.has_role("editor"));
    EXPECT_FALSE(principal.has_role("Editor"));
    EXPECT_FALSE(principal.has_role("edito"));
    EXPECT_FALSE(principal.has_role("viewer"));
    principal.role_map = staff();
    EXPECT_TRUE(principal.has_role("viewer"));
    EXPECT_FALSE(principal.has_role("orders:write"));
    principal.roles = {"viewer"};
    EXPECT_FALSE(principal.has_role("editor"));
    principal.roles = {"stranger", "editor"};
    EXPECT_TRUE(principal.has_role("viewer"));
    EXPECT_TRUE(principal.has_role("stranger"));
    principal.roles = {};
    EXPECT_FALSE(principal.has_role("viewer"));
    principal.roles = {""};
    EXPECT_FALSE(principal.has_role(""));
}

TEST(SafeIdentity, RefusesControlCharactersAndLongValues) {
    EXPECT_TRUE(is_safe_identity(""));
    EXPECT_TRUE(is_safe_identity(" ~\xc3\xa9\x80\xff"));
    EXPECT_TRUE(is_safe_identity(std::string(4096, 'a')));
    EXPECT_FALSE(is_safe_identity(std::string(4097, 'a')));
    for (int c = 0; c < 0x20; ++c)
        EXPECT_FALSE(is_safe_identity(std::string("a") + static_cast<char>(c))) << c;
    EXPECT_FALSE(is_safe_identity("a\x7f"));
}

TEST(JoinIdentity, JoinsWithTheSeparator) {
    EXPECT_EQ(join_identity(TextList{}, ','), "");
    EXPECT_EQ(join_identity(TextList{"a"}, ','), "a");
    EXPECT_EQ(join_identity(TextList{"a", "b c", "d"}, ','), "a,b c,d");
    EXPECT_EQ(join_identity(TextList{"a,b", "c"}, ' '), "a,b c");
}

TEST(JoinIdentity, RefusesAmbiguousAndUnsafeElements) {
    EXPECT_FALSE(join_identity(TextList{"a", "b,c"}, ','));
    EXPECT_FALSE(join_identity(TextList{"a b"}, ' '));
    EXPECT_FALSE(join_identity(TextList{"a\n"}, ','));
    EXPECT_FALSE(join_identity(TextList{"ok", std::string_view("\0", 1)}, ','));
}

TEST(JoinIdentity, LimitsTheWhole) {
    const std::string half(2048, 'a');
    const std::string less(2047, 'a');
    const auto joined = join_identity(TextList{half, less}, ',');
    ASSERT_TRUE(joined);
    EXPECT_EQ(joined->size(), 4096u);
    EXPECT_FALSE(join_identity(TextList{half, half}, ','));
}

}  // namespace
}  // namespace gate::policy
