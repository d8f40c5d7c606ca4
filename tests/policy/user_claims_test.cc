#include "policy/user_claims.h"

#include <gtest/gtest.h>

#include <string>

#include "policy/reply_fields.h"

namespace gate::policy {
namespace {

using users::User;

User full_user() {
    User user;
    user.name = "j\u00fcrgen \"J\"";
    user.email = "j@example.org";
    user.roles = {"editor", "vie\"wer"};
    user.scopes = {"orders:read", "*"};
    user.groups = {"blue", "a\\b"};
    user.created = 1'767'323'045;
    user.labels = *jose::Document::parse(
        R"({"team":"a\"b\u0001","id":7,"rate":0.5,"on":true,"off":false,"none":null,)"
        R"("list":[1,"two",null],"address":{"city":"Köln","zip":null},"a.b":"whole"})");
    return user;
}

TEST(UserField, GivesWhatAUserHas) {
    const User user = full_user();
    EXPECT_EQ(user_field(user, "user.name"), "\"j\u00fcrgen \\\"J\\\"\"");
    EXPECT_EQ(user_field(user, "user.email"), R"("j@example.org")");
    EXPECT_EQ(user_field(user, "user.role"), R"("editor")");
    EXPECT_EQ(user_field(user, "user.roles"), R"(["editor","vie\"wer"])");
    EXPECT_EQ(user_field(user, "user.scope"), R"("orders:read *")");
    EXPECT_EQ(user_field(user, "user.scopes"), R"(["orders:read","*"])");
    EXPECT_EQ(user_field(user, "user.group"), R"("blue")");
    EXPECT_EQ(user_field(user, "user.groups"), R"(["blue","a\\b"])");
    EXPECT_EQ(user_field(user, "user.created"), R"("2026-01-02T03:04:05Z")");
    EXPECT_EQ(user_field(user, "user.created.unix"), "1767323045");
}

TEST(UserField, GivesLabelsOfAnyType) {
    const User user = full_user();
    EXPECT_EQ(user_field(user, "user.label.team"), R"("a\"b\u0001")");
    EXPECT_EQ(user_field(user, "user.label.id"), "7");
    EXPECT_EQ(user_field(user, "user.label.rate"), "0.5");
    EXPECT_EQ(user_field(user, "user.label.on"), "true");
    EXPECT_EQ(user_field(user, "user.label.off"), "false");
    EXPECT_EQ(user_field(user, "user.label.none"), "null");
    EXPECT_EQ(user_field(user, "user.label.list"), R"([1,"two",null])");
    EXPECT_EQ(user_field(user, "user.label.address"), "{\"city\":\"Köln\",\"zip\":null}");
    EXPECT_EQ(user_field(user, "user.label.address.city"), "\"Köln\"");
    EXPECT_EQ(user_field(user, "user.label.a.b"), R"("whole")");
    EXPECT_EQ(user_field(user, "user.label.address.street"), "");
    EXPECT_EQ(user_field(user, "user.label.other"), "");
}

TEST(UserField, IsEmptyWhereAUserHasNone) {
    User user;
    user.name = "ann";
    for (const char* field : {"user.email", "user.role", "user.scope", "user.group", "user.created",
                              "user.created.unix", "user.label.team"}) {
        EXPECT_EQ(user_field(user, field), "") << field;
    }
    for (const char* field : {"user.roles", "user.scopes", "user.groups"}) {
        EXPECT_EQ(user_field(user, field), "[]") << field;
    }
    EXPECT_EQ(user_field(user, "user.name"), R"("ann")");
}

TEST(UserField, KnowsNoOtherNames) {
    const User user = full_user();
    for (const char* field : {"", "name", "user", "user.", "user.password", "user.status",
                              "user.label", "user.label.", "users.name", "label.team"}) {
        EXPECT_EQ(user_field(user, field), "") << field;
    }
}

TEST(UserField, KnowsEachFieldOfALogin) {
    const User user = full_user();
    for (const std::string& known : reply_field_names(ReplyOutcome::kLogin)) {
        if (!known.starts_with("user.")) continue;
        const std::string field = known == "user.label.NAME" ? "user.label.id" : known;
        EXPECT_NE(user_field(user, field), "") << field;
    }
}

TEST(UsualClaims, AreScopeRolesAndGroups) {
    const jose::Issuer issuer;
    EXPECT_EQ(
        usual_claims(full_user(), issuer),
        R"({"scope":"orders:read *","roles":["editor","vie\"wer"],"groups":["blue","a\\b"]})");
    User user;
    user.name = "ann";
    EXPECT_EQ(usual_claims(user, issuer), "{}");
    user.groups = {"blue"};
    EXPECT_EQ(usual_claims(user, issuer), R"({"groups":["blue"]})");
}

TEST(UsualClaims, HaveTheNamesThatTheIssuerLooksForFirst) {
    jose::Issuer issuer;
    issuer.scope_claim = {"https://example.net/scp", "scope"};
    issuer.role_claim = {"r"};
    issuer.group_claim = {"g", "groups"};
    User user;
    user.scopes = {"a"};
    user.roles = {"b"};
    user.groups = {"c"};
    EXPECT_EQ(usual_claims(user, issuer), R"({"https://example.net/scp":"a","r":["b"],"g":["c"]})");
}

}  // namespace
}  // namespace gate::policy
