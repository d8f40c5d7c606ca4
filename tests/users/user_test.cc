#include "users/user.h"

#include <gtest/gtest.h>

#include "tests/users/sample_user.h"

namespace gate::users {
namespace {

std::string user_with(const std::string& members) {
    return R"({"name":"bob","password":")" + kHash + "\"" + (members.empty() ? "" : ",") + members +
           "}";
}

Result<User, std::string> parse(const std::string& json) {
    const auto document = jose::Document::parse(json);
    if (!document) return fail("no JSON: " + json);
    return User::from_json(document->root());
}

std::string error_of(const std::string& json) {
    const auto user = parse(json);
    return user ? "" : user.error();
}

const std::string kWhole =
    R"({"v":1,"name":"jürgen","password":")" + kHash +
    R"(","roles":["admin"],"scopes":["a:*","b"],"groups":["g","h"],"email":"j@example.org",)"
    R"("status":"disabled","created":"2026-01-02T03:04:05Z","labels":{"plan":"gold"}})";

TEST(User, IsReadFromAllItsMembers) {
    const auto user = parse(kWhole);
    ASSERT_TRUE(user) << user.error();
    expect_sample(*user);
}

TEST(User, NeedsOnlyNameAndPassword) {
    const auto user = parse(user_with(""));
    ASSERT_TRUE(user) << user.error();
    EXPECT_EQ(user->status, UserStatus::kActive);
    EXPECT_EQ(user->created, 0);
    EXPECT_TRUE(user->email.empty());
    EXPECT_FALSE(user->labels.root().present());
    EXPECT_EQ(error_of(R"({"name":"bob"})"),
              "member \"password\" is missing; expected the hash of a password");
    EXPECT_EQ(
        error_of(R"({"password":")" + kHash + "\"}"),
        "member \"name\" is missing; expected 1 to 256 octets of UTF-8 without ':' and control "
        "characters");
}

TEST(User, SurvivesBeingWritten) {
    const auto user = parse(kWhole);
    ASSERT_TRUE(user) << user.error();
    const auto again = parse(user->to_json());
    ASSERT_TRUE(again) << again.error();
    expect_sample(*again);
    EXPECT_EQ(again->to_json(), user->to_json());
    const std::string shortest = user_with(R"("status":"active")");
    EXPECT_EQ(parse(shortest)->to_json(), shortest);
}

TEST(User, RefusesUnknownMembers) {
    EXPECT_EQ(
        error_of(user_with(R"("role":["x"])")),
        "member \"role\" is unknown; known are v, name, password, roles, scopes, groups, email, "
        "status, created, labels");
    EXPECT_EQ(error_of(user_with(R"("v":2)")), "member \"v\" is wrong; expected 1");
}

TEST(User, RefusesWrongValues) {
    EXPECT_EQ(error_of(user_with(R"("status":"on")")),
              "member \"status\" is wrong; expected active or disabled");
    EXPECT_NE(error_of(user_with(R"("status":null)")), "");
    const std::string list =
        " is wrong; expected an array of non-empty strings without control characters";
    EXPECT_EQ(error_of(user_with(R"("roles":"x")")), "member \"roles\"" + list);
    EXPECT_EQ(error_of(user_with(R"("scopes":[""])")), "member \"scopes\"" + list);
    EXPECT_EQ(error_of(user_with(R"("groups":["a\nb"])")), "member \"groups\"" + list);
    EXPECT_EQ(error_of(user_with(R"("email":"a\u0000b")")),
              "member \"email\" is wrong; expected a string without control characters");
    EXPECT_EQ(error_of(user_with(R"("created":-1)")),
              "member \"created\" is wrong; expected an instant such as \"2030-01-31T00:00:00Z\"");
    EXPECT_EQ(error_of(user_with(R"("labels":[])")),
              "member \"labels\" is wrong; expected an object");
    const auto array = jose::Document::parse(R"({"a":[]})");
    EXPECT_EQ(User::from_json(array->root().member("a")).error(), "a user must be an object");
}

TEST(User, RefusesHashesThatNothingMatches) {
    EXPECT_EQ(
        error_of(R"({"name":"bob","password":"hunter2"})"),
        "member \"password\" is wrong: the hash is no hash but perhaps the password itself; set "
        "a new password with \"gatectl user passwd\"");
    EXPECT_EQ(error_of(R"({"name":"bob","password":7})"),
              "member \"password\" is wrong; expected the hash of a password");
}

TEST(User, ErrorsNeverHoldTheHash) {
    for (const std::string& json :
         {R"({"name":"a:b","password":")" + kHash + "\"}",
          user_with(R"("status":")" + kHash + "\""), user_with(R"("email":[")" + kHash + "\"]"),
          R"({"name":{"x":")" + kHash + "\"}}", R"({"name":"b","password":")" + kHash + "x\"}"}) {
        EXPECT_NE(error_of(json), "");
        EXPECT_EQ(error_of(json).find("svn8Uo"), std::string::npos) << error_of(json);
    }
}

TEST(UserName, IsWhatBasicCanCarry) {
    EXPECT_EQ(name_problem("bob"), std::nullopt);
    EXPECT_EQ(name_problem("bob@example.org"), std::nullopt);
    EXPECT_EQ(name_problem("J\u00fcrgen M\u00fcller \u20ac"), std::nullopt);
    EXPECT_EQ(name_problem(std::string(256, 'a')), std::nullopt);
    EXPECT_EQ(name_problem(""), "a name has 1 to 256 octets");
    EXPECT_EQ(name_problem(std::string(257, 'a')), "a name has 1 to 256 octets");
    EXPECT_EQ(name_problem("a:b"), "a name has no ':', which Basic could not carry");
    EXPECT_EQ(name_problem("a\tb"), "a name has no control characters");
    EXPECT_EQ(name_problem("a\x7f"), "a name has no control characters");
    EXPECT_EQ(name_problem(std::string("a\0b", 3)), "a name has no control characters");
    EXPECT_EQ(name_problem("a\xff"), "a name is UTF-8");
    EXPECT_EQ(name_problem("a\xc0\xaf"), "a name is UTF-8");
}

}  // namespace
}  // namespace gate::users
