#include "policy/reply_fields.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace gate::policy {
namespace {

constexpr ReplyOutcome kOutcomes[] = {
    ReplyOutcome::kLogin,      ReplyOutcome::kRefresh, ReplyOutcome::kLogout, ReplyOutcome::kMe,
    ReplyOutcome::kIntrospect, ReplyOutcome::kCreate,  ReplyOutcome::kList,   ReplyOutcome::kGet,
    ReplyOutcome::kRotate,     ReplyOutcome::kSuspend, ReplyOutcome::kRevoke};

std::string error_of(ReplyOutcome outcome, std::string_view json) {
    const auto reply = parse_reply(outcome, json);
    return reply ? "" : reply.error();
}

TEST(Outcomes, HaveNames) {
    for (const ReplyOutcome outcome : kOutcomes) EXPECT_EQ(find_outcome(name_of(outcome)), outcome);
    EXPECT_EQ(find_outcome("resume"), std::nullopt);
    EXPECT_EQ(find_outcome(""), std::nullopt);
    EXPECT_EQ(outcome_names(),
              "login, refresh, logout, me, introspect, create, list, get, rotate, suspend, revoke");
}

TEST(ReplyFields, BelongToOutcomes) {
    const auto kind = [](ReplyOutcome outcome, std::string_view name) {
        return reply_field(outcome, name);
    };
    EXPECT_EQ(kind(ReplyOutcome::kLogin, "access_token"), FieldKind::kText);
    EXPECT_EQ(kind(ReplyOutcome::kRefresh, "expires_in"), FieldKind::kNumber);
    EXPECT_EQ(kind(ReplyOutcome::kLogin, "user.role"), FieldKind::kText);
    EXPECT_EQ(kind(ReplyOutcome::kLogin, "user.roles"), FieldKind::kList);
    EXPECT_EQ(kind(ReplyOutcome::kLogin, "key"), std::nullopt);
    EXPECT_EQ(kind(ReplyOutcome::kIntrospect, "active"), FieldKind::kBoolean);
    EXPECT_EQ(kind(ReplyOutcome::kMe, "active"), std::nullopt);
    EXPECT_EQ(kind(ReplyOutcome::kMe, "claim.address.locality"), FieldKind::kJson);
    EXPECT_EQ(kind(ReplyOutcome::kMe, "user.label.team"), FieldKind::kJson);
    EXPECT_EQ(kind(ReplyOutcome::kMe, "label.team"), std::nullopt);
    EXPECT_EQ(kind(ReplyOutcome::kLogout, "subject"), FieldKind::kText);
    EXPECT_EQ(kind(ReplyOutcome::kCreate, "key"), FieldKind::kText);
    EXPECT_EQ(kind(ReplyOutcome::kRotate, "key"), FieldKind::kText);
    EXPECT_EQ(kind(ReplyOutcome::kGet, "key"), std::nullopt);
    EXPECT_EQ(kind(ReplyOutcome::kList, "key"), std::nullopt);
    EXPECT_EQ(kind(ReplyOutcome::kList, "label.team"), FieldKind::kJson);
    EXPECT_EQ(kind(ReplyOutcome::kRotate, "grace_until"), FieldKind::kInstant);
    EXPECT_EQ(kind(ReplyOutcome::kCreate, "grace_until"), std::nullopt);
    EXPECT_EQ(kind(ReplyOutcome::kRevoke, "scopes"), std::nullopt);
    EXPECT_EQ(reply_field_names(ReplyOutcome::kRevoke),
              (std::vector<std::string>{"id", "name", "status"}));
    EXPECT_EQ(reply_field_names(ReplyOutcome::kLogout), std::vector<std::string>{"subject"});
}

TEST(ReplyFields, HaveInstantsInTwoForms) {
    EXPECT_EQ(reply_field(ReplyOutcome::kGet, "expires"), FieldKind::kInstant);
    EXPECT_EQ(reply_field(ReplyOutcome::kGet, "expires.unix"), FieldKind::kNumber);
    EXPECT_EQ(reply_field(ReplyOutcome::kLogin, "user.created.unix"), FieldKind::kNumber);
    EXPECT_EQ(reply_field(ReplyOutcome::kGet, "name.unix"), std::nullopt);
    EXPECT_EQ(reply_field(ReplyOutcome::kGet, ".unix"), std::nullopt);
    EXPECT_EQ(reply_field(ReplyOutcome::kIntrospect, "exp.unix"), std::nullopt);
    EXPECT_EQ(reply_field(ReplyOutcome::kGet, "label.unix"), FieldKind::kJson);
}

// What the table calls a name, the template takes, and the other way round.
TEST(ReplyFields, AreTheOnesThatTemplatesTake) {
    for (const ReplyOutcome outcome : kOutcomes) {
        for (const ReplyOutcome other : kOutcomes) {
            for (const std::string& name : reply_field_names(other)) {
                const bool known = reply_field(outcome, name).has_value();
                EXPECT_EQ(error_of(outcome, "{\"a\":[\"$" + name + "\"]}").empty(), known)
                    << name_of(outcome) << " " << name;
            }
        }
    }
}

TEST(ReplyFields, AreListedWhereOneIsUnknown) {
    EXPECT_EQ(error_of(ReplyOutcome::kSuspend, R"({"a":"$key"})"),
              "unknown field \"$key\"; known are $id, $name, $status");
    EXPECT_NE(error_of(ReplyOutcome::kMe, R"({"a":"$x"})").find("$expires, $expires.unix"),
              std::string::npos);
    EXPECT_NE(error_of(ReplyOutcome::kMe, R"({"a":"$x"})").find("$claim.NAME"), std::string::npos);
    EXPECT_EQ(error_of(ReplyOutcome::kList, R"({"a":"$x"})").substr(0, 68),
              "unknown field \"$x\"; known are none, and in an array of one element $");
}

TEST(ReplyFields, RepeatForRecordsOnly) {
    EXPECT_EQ(error_of(ReplyOutcome::kList, R"({"keys":[{"id":"$id"}]})"), "");
    EXPECT_NE(error_of(ReplyOutcome::kList, R"({"id":"$id"})"), "");
    EXPECT_EQ(error_of(ReplyOutcome::kGet, R"({"id":"$id","ids":["$id"]})"), "");
    const auto get = parse_reply(ReplyOutcome::kGet, R"({"ids":["$id"]})");
    EXPECT_EQ(get->render([](std::string_view) { return std::string("1"); }), R"({"ids":[1]})");
}

TEST(DefaultReplies, UseFieldsOfTheirOutcome) {
    for (const ReplyOutcome outcome : kOutcomes) {
        const DefaultReply reply = default_reply(outcome);
        EXPECT_EQ(reply.json.empty(), reply.status == 204);
        if (reply.json.empty()) continue;
        EXPECT_EQ(error_of(outcome, reply.json), "") << name_of(outcome);
    }
    EXPECT_EQ(default_reply(ReplyOutcome::kCreate).status, 201);
    EXPECT_EQ(default_reply(ReplyOutcome::kRevoke).status, 204);
    EXPECT_EQ(default_reply(ReplyOutcome::kLogin).status, 200);
}

TEST(DefaultReplies, OfALoginAreThoseOfOAuth) {
    const auto reply = parse_reply(ReplyOutcome::kLogin, default_reply(ReplyOutcome::kLogin).json);
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->render([](std::string_view field) -> std::string {
        if (field == "access_token") return "\"t\"";
        if (field == "expires_in") return reply_number(3600);
        return "";
    }),
              R"({"access_token":"t","token_type":"Bearer","expires_in":3600})");
}

TEST(DefaultReplies, SayOfAnInactiveTokenThatAlone) {
    const auto reply =
        parse_reply(ReplyOutcome::kIntrospect, default_reply(ReplyOutcome::kIntrospect).json);
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
