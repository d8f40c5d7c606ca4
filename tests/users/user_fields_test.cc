#include "users/user_fields.h"

#include <gtest/gtest.h>

#include "tests/users/sample_user.h"

namespace gate::users {
namespace {

const std::vector<Field> kWhole{{"v", "1"},
                                {"name", "j\u00fcrgen"},
                                {"password", kHash},
                                {"roles", R"(["admin"])"},
                                {"scopes", R"(["a:*","b"])"},
                                {"groups", R"(["g","h"])"},
                                {"email", "j@example.org"},
                                {"status", "disabled"},
                                {"created", "2026-01-02T03:04:05Z"},
                                {"labels", R"({"plan":"gold"})"}};

// The sample with one field in another form, or with one more.
std::vector<Field> with(std::string_view name, std::string_view value) {
    std::vector<Field> fields = kWhole;
    for (Field& field : fields) {
        if (field.first != name) continue;
        field.second = value;
        return fields;
    }
    fields.emplace_back(name, value);
    return fields;
}

std::string error_of(const std::vector<Field>& fields) {
    const auto user = user_of_fields(fields);
    return user ? "" : user.error();
}

TEST(UserFields, AreReadAsTheJsonForm) {
    const auto user = user_of_fields(kWhole);
    ASSERT_TRUE(user) << user.error();
    expect_sample(*user);
    EXPECT_EQ(user_of_fields(with("created", "1767323045"))->created, 1767323045);
}

TEST(UserFields, AreWrittenAsTheyWereRead) {
    const auto user = user_of_fields(kWhole);
    ASSERT_TRUE(user) << user.error();
    std::vector<std::string> expected;
    for (const auto& [name, value] : kWhole) {
        expected.emplace_back(name);
        expected.emplace_back(value);
    }
    EXPECT_EQ(fields_of_user(*user), expected);
}

TEST(UserFields, LeaveOutWhatHasNoValue) {
    User user;
    user.name = "bob";
    user.password = kHash;
    EXPECT_EQ(fields_of_user(user), (std::vector<std::string>{"v", "1", "name", "bob", "password",
                                                              kHash, "status", "active"}));
}

TEST(UserFields, NeedAVersion) {
    EXPECT_EQ(error_of({{"name", "bob"}, {"password", kHash}}),
              "field \"v\" is missing; expected 1");
    EXPECT_EQ(error_of(with("v", "2")), "field \"v\" is wrong; expected 1");
    EXPECT_EQ(error_of({{"v", "1"}, {"name", "bob"}}),
              "field \"password\" is missing; expected the hash of a password");
}

TEST(UserFields, ErrorsHaveNoValues) {
    EXPECT_EQ(error_of(with("admin", "1")), "field \"admin\" is unknown");
    EXPECT_EQ(error_of(with("roles", "admin")), "field \"roles\" is no JSON array");
    EXPECT_EQ(error_of(with("roles", R"(["a"],"x":[])")), "field \"roles\" is no JSON array");
    EXPECT_EQ(error_of(with("labels", "[]")), "field \"labels\" is no JSON object");
    EXPECT_EQ(error_of(with("name", "j\xfcrgen")), "field \"name\" is not valid UTF-8");
    EXPECT_EQ(error_of(with("status", kHash)),
              "field \"status\" is wrong; expected active or disabled");
    EXPECT_EQ(
        error_of(with("password", "secret")),
        "field \"password\" is wrong: the hash is no hash but perhaps the password itself; set "
        "a new password with \"gatectl user passwd\"");
    std::vector<Field> twice = kWhole;
    twice.emplace_back("email", "b@example.org");
    EXPECT_EQ(error_of(twice), "field \"email\" is there twice");
}

}  // namespace
}  // namespace gate::users
