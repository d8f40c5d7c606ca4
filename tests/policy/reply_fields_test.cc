#include "policy/reply_fields.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace gate::policy {
namespace {

constexpr Outcome kOutcomes[] = {Outcome::kLogin,   Outcome::kRefresh,    Outcome::kLogout,
                                 Outcome::kMe,      Outcome::kIntrospect, Outcome::kCreate,
                                 Outcome::kList,    Outcome::kGet,        Outcome::kRotate,
                                 Outcome::kSuspend, Outcome::kRevoke};

std::string error_of(Outcome outcome, std::string_view json) {
    const auto reply = parse_reply(outcome, json);
    return reply ? "" : reply.error();
}

TEST(Outcomes, HaveNames) {
    for (const Outcome outcome : kOutcomes) EXPECT_EQ(find_outcome(name_of(outcome)), outcome);
    EXPECT_EQ(find_outcome("resume"), std::nullopt);
    EXPECT_EQ(find_outcome(""), std::nullopt);
    EXPECT_EQ(outcome_names(),
              "login, refresh, logout, me, introspect, create, list, get, rotate, suspend, revoke");
}

TEST(ReplyFields, BelongToOutcomes) {
    const auto kind = [](Outcome outcome, std::string_view name) {
        return reply_field(outcome, name);
    };
    EXPECT_EQ(kind(Outcome::kLogin, "access_token"), FieldKind::kText);
    EXPECT_EQ(kind(Outcome::kRefresh, "expires_in"), FieldKind::kNumber);
    EXPECT_EQ(kind(Outcome::kLogin, "user.role"), FieldKind::kText);
    EXPECT_EQ(kind(Outcome::kLogin, "user.roles"), FieldKind::kList);
    EXPECT_EQ(kind(Outcome::kLogin, "key"), std::nullopt);
    EXPECT_EQ(kind(Outcome::kIntrospect, "active"), FieldKind::kBoolean);
    EXPECT_EQ(kind(Outcome::kMe, "active"), std::nullopt);
    EXPECT_EQ(kind(Outcome::kMe, "claim.address.locality"), FieldKind::kJson);
    EXPECT_EQ(kind(Outcome::kMe, "user.label.team"), FieldKind::kJson);
    EXPECT_EQ(kind(Outcome::kMe, "label.team"), std::nullopt);
    EXPECT_EQ(kind(Outcome::kLogout, "subject"), FieldKind::kText);
    EXPECT_EQ(kind(Outcome::kCreate, "key"), FieldKind::kText);
    EXPECT_EQ(kind(Outcome::kRotate, "key"), FieldKind::kText);
    EXPECT_EQ(kind(Outcome::kGet, "key"), std::nullopt);
    EXPECT_EQ(kind(Outcome::kList, "key"), std::nullopt);
    EXPECT_EQ(kind(Outcome::kList, "label.team"), FieldKind::kJson);
    EXPECT_EQ(kind(Outcome::kRotate, "grace_until"), FieldKind::kInstant);
    EXPECT_EQ(kind(Outcome::kCreate, "grace_until"), std::nullopt);
    EXPECT_EQ(kind(Outcome::kRevoke, "scopes"), std::nullopt);
    EXPECT_EQ(reply_field_names(Outcome::kRevoke),
              (std::vector<std::string>{"id", "name", "status"}));
    EXPECT_EQ(reply_field_names(Outcome::kLogout), std::vector<std::string>{"subject"});
}

TEST(ReplyFields, HaveInstantsInTwoForms) {
    EXPECT_EQ(reply_field(Outcome::kGet, "expires"), FieldKind::kInstant);
    EXPECT_EQ(reply_field(Outcome::kGet, "expires.unix"), FieldKind::kNumber);
    EXPECT_EQ(reply_field(Outcome::kLogin, "user.created.unix"), FieldKind::kNumber);
    EXPECT_EQ(reply_field(Outcome::kGet, "name.unix"), std::nullopt);
    EXPECT_EQ(reply_field(Outcome::kGet, ".unix"), std::nullopt);
    EXPECT_EQ(reply_field(Outcome::kIntrospect, "exp.unix"), std::nullopt);
    EXPECT_EQ(reply_field(Outcome::kGet, "label.unix"), FieldKind::kJson);
}

// What the table calls a name, the template takes, and the other way round.
TEST(ReplyFields, AreTheOnesThatTemplatesTake) {
    for (const Outcome outcome : kOutcomes) {
        for (const Outcome other : kOutcomes) {
            for (const std::string& name : reply_field_names(other)) {
                const bool known = reply_field(outcome, name).has_value();
                EXPECT_EQ(error_of(outcome, "{\"a\":[\"$" + name + "\"]}").empty(), known)
                    << name_of(outcome) << " " << name;
            }
        }
    }
}

TEST(ReplyFields, AreListedWhereOneIsUnknown) {
    EXPECT_EQ(error_of(Outcome::kSuspend, R"({"a":"$key"})"),
              "unknown field \"$key\"; known are $id, $name, $status");
    EXPECT_NE(error_of(Outcome::kMe, R"({"a":"$x"})").find("$expires, $expires.unix"),
              std::string::npos);
    EXPECT_NE(error_of(Outcome::kMe, R"({"a":"$x"})").find("$claim.NAME"), std::string::npos);
    EXPECT_EQ(error_of(Outcome::kList, R"({"a":"$x"})").substr(0, 69),
              "unknown field \"$x\"; known are none, and in an array of one element $");
}

TEST(ReplyFields, RepeatForRecordsOnly) {
    EXPECT_EQ(error_of(Outcome::kList, R"({"keys":[{"id":"$id"}]})"), "");
    EXPECT_NE(error_of(Outcome::kList, R"({"id":"$id"})"), "");
    EXPECT_EQ(error_of(Outcome::kGet, R"({"id":"$id","ids":["$id"]})"), "");
    const auto get = parse_reply(Outcome::kGet, R"({"ids":["$id"]})");
    EXPECT_EQ(get->render([](std::string_view) { return std::string("1"); }), R"({"ids":[1]})");
}

TEST(DefaultReplies, UseFieldsOfTheirOutcome) {
    for (const Outcome outcome : kOutcomes) {
        const DefaultReply reply = default_reply(outcome);
        EXPECT_EQ(reply.json.empty(), reply.status == 204);
        if (reply.json.empty()) continue;
        EXPECT_EQ(error_of(outcome, reply.json), "") << name_of(outcome);
    }
    EXPECT_EQ(default_reply(Outcome::kCreate).status, 201);
    EXPECT_EQ(default_reply(Outcome::kRevoke).status, 204);
    EXPECT_EQ(default_reply(Outcome::kLogin).status, 200);
}

TEST(DefaultReplies, OfALoginAreThoseOfOAuth) {
    const auto reply = parse_reply(Outcome::kLogin, default_reply(Outcome::kLogin).json);
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->render([](std::string_view field) -> std::string {
        if (field == "access_token") return "\"t\"";
        if (field == "expires_in") return reply_number(3600);
        return "";
    }),
              R"({"access_token":"t","token_type":"Bearer","expires_in":3600})");
}

TEST(DefaultReplies, SayOfAnInactiveTokenThatAlone) {
    const auto reply = parse_reply(Outcome::kIntrospect, default_reply(Outcome::kIntrospect).json);
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->render([](std::string_view field) {
        return field == "active" ? reply_boolean(false) : std::string();
    }),
              R"({"active":false})");
}

TEST(ReplyValues, AreJson) {
    EXPECT_EQ(reply_instant("expires", 0), "\"1970-01-01T00:00:00Z\"");
    EXPECT_EQ(reply_instant("expires.unix", 1700000000), "1700000000");
    EXPECT_EQ(reply_instant("expires.unix", std::nullopt), "");
    EXPECT_EQ(reply_number(-7), "-7");
    EXPECT_EQ(reply_number(std::nullopt), "");
    EXPECT_EQ(reply_boolean(true), "true");
    const std::vector<std::string_view> views{"a\"", "b"};
    const std::vector<std::string> texts{"a\"", "b"};
    EXPECT_EQ(reply_list(views), R"(["a\"","b"])");
    EXPECT_EQ(reply_list(texts), R"(["a\"","b"])");
    EXPECT_EQ(reply_words(views), R"("a\" b")");
    EXPECT_EQ(reply_words(texts), R"("a\" b")");
    EXPECT_EQ(reply_list(std::vector<std::string>()), "[]");
    EXPECT_EQ(reply_words(std::vector<std::string>()), "");
    const auto document = jose::Document::parse(R"({"a":[1,"x"],"n":null})");
    EXPECT_EQ(reply_json(document->root().member("a")), R"([1,"x"])");
    EXPECT_EQ(reply_json(document->root().member("n")), "null");
    EXPECT_EQ(reply_json(document->root().member("gone")), "");
}

TEST(ReplyFieldNames, AreTakenApart) {
    EXPECT_EQ(field_below("label.team", "label"), "team");
    EXPECT_EQ(field_below("user.label.a.b", "user.label"), "a.b");
    EXPECT_EQ(field_below("label.", "label"), std::nullopt);
    EXPECT_EQ(field_below("label", "label"), std::nullopt);
    EXPECT_EQ(field_below("labels.x", "label"), std::nullopt);
    EXPECT_EQ(field_below("claim.x", "label"), std::nullopt);
    EXPECT_EQ(instant_name("expires.unix"), "expires");
    EXPECT_EQ(instant_name("expires"), "expires");
}

}  // namespace
}  // namespace gate::policy
