#include "policy/reply_template.h"

#include <gtest/gtest.h>

#include <map>

namespace gate::policy {
namespace {

const std::vector<std::string_view> kKnown{"token", "expires", "expires.unix", "roles",
                                           "none",  "null",    "title"};
const std::vector<std::string_view> kRecord{"id", "name", "expires"};

ReplyTemplate::Fields fields(std::map<std::string, std::string> values) {
    return [values = std::move(values)](std::string_view field) {
        const auto found = values.find(std::string(field));
        return found == values.end() ? std::string() : found->second;
    };
}

const ReplyTemplate::Fields kFields = fields({{"token", "\"a\\\"b\""},
                                              {"expires", "\"2030-01-01T00:00:00Z\""},
                                              {"expires.unix", "1893456000"},
                                              {"roles", "[\"x\",\"y\"]"},
                                              {"null", "null"},
                                              {"title", "\"Not \\u0041\""},
                                              {"id", "\"outer\""}});

std::string render(std::string_view json, const std::vector<ReplyTemplate::Fields>& records = {}) {
    const auto reply = ReplyTemplate::parse(json, kKnown, kRecord);
    EXPECT_TRUE(reply) << reply.error();
    return reply ? reply->render(kFields, records) : "";
}

std::string error_of(std::string_view json) {
    const auto reply = ReplyTemplate::parse(json, kKnown, kRecord);
    return reply ? "" : reply.error();
}

TEST(ReplyTemplate, KeepsWhatIsNoField) {
    EXPECT_EQ(render("{}"), "{}");
    EXPECT_EQ(render("{\"a\":1,\"b\":[true,null,1.5,\"x\"],\"c\":{\"d\":\"\"},\"e\":[]}"),
              "{\"a\":1,\"b\":[true,null,1.5,\"x\"],\"c\":{\"d\":\"\"},\"e\":[]}");
    EXPECT_EQ(render("{\"q\\\"k\":\"a\\\"b\\\\\\n\"}"), "{\"q\\\"k\":\"a\\\"b\\\\\\u000a\"}");
}

TEST(ReplyTemplate, PutsTheValueForAWholeString) {
    EXPECT_EQ(
        render(
            "{\"access\":\"$token\",\"exp\":\"$expires.unix\",\"r\":\"$roles\",\"n\":\"$null\"}"),
        "{\"access\":\"a\\\"b\",\"exp\":1893456000,\"r\":[\"x\",\"y\"],\"n\":null}");
}

TEST(ReplyTemplate, SaysNullForAFieldWithoutValue) {
    EXPECT_EQ(render("{\"a\":\"$none\",\"b\":[\"$none\"]}"), "{\"a\":null,\"b\":[null]}");
}

TEST(ReplyTemplate, LeavesOutAnOptionalFieldWithoutValue) {
    EXPECT_EQ(render("{\"a\":\"$none?\",\"b\":1,\"c\":\"$none?\",\"d\":2}"), "{\"b\":1,\"d\":2}");
    EXPECT_EQ(render("{\"a\":[\"$none?\",\"$token?\",\"$none?\",2]}"), "{\"a\":[\"a\\\"b\",2]}");
    EXPECT_EQ(render("{\"a\":\"$null?\"}"), "{\"a\":null}");
}

TEST(ReplyTemplate, EscapesValuesInsideText) {
    EXPECT_EQ(render("{\"a\":\"Bearer $token!\"}"), "{\"a\":\"Bearer a\\\"b!\"}");
    EXPECT_EQ(render("{\"a\":\"$token $expires.unix $roles.\"}"),
              "{\"a\":\"a\\\"b 1893456000 [\\\"x\\\",\\\"y\\\"].\"}");
    EXPECT_EQ(render("{\"a\":\"<$none><$null>$none?x\"}"), "{\"a\":\"<><>?x\"}");
    EXPECT_EQ(render("{\"a\":\"$token$token\"}"), "{\"a\":\"a\\\"ba\\\"b\"}");
    EXPECT_EQ(render("{\"a\":\" $token\"}"), "{\"a\":\" a\\\"b\"}");
    EXPECT_EQ(render("{\"a\":\"$title.\"}"), "{\"a\":\"Not \\u0041.\"}");
    EXPECT_EQ(render("{\"a\":\"$token??\"}"), "{\"a\":\"a\\\"b??\"}");
}

TEST(ReplyTemplate, KeepsADollarWithoutName) {
    EXPECT_EQ(render("{\"a\":\"5$\",\"b\":\"$\",\"c\":\"$$\",\"d\":\"$ "
                     "x\",\"e\":\"$?\",\"f\":\"$.x\",\"g\":\"$$token\"}"),
              "{\"a\":\"5$\",\"b\":\"$\",\"c\":\"$$\",\"d\":\"$ "
              "x\",\"e\":\"$?\",\"f\":\"$.x\",\"g\":\"$a\\\"b\"}");
}

TEST(ReplyTemplate, TakesADotForPartOfANameOnlyBetweenWords) {
    EXPECT_EQ(render("{\"a\":\"$expires.\",\"b\":\"$expires..unix\",\"c\":\"$expires.unix.\"}"),
              "{\"a\":\"2030-01-01T00:00:00Z.\",\"b\":\"2030-01-01T00:00:00Z..unix\",\"c\":"
              "\"1893456000.\"}");
    EXPECT_EQ(error_of("{\"a\":\"$title.unix\"}").substr(0, 28), "unknown field \"$title.unix\";");
}

TEST(ReplyTemplate, RepeatsAnArrayOfOneElementForEachRecord) {
    const std::vector<ReplyTemplate::Fields> records{
        fields({{"id", "\"1\""}, {"name", "\"a\""}, {"expires", "7"}}), fields({{"id", "\"2\""}})};
    EXPECT_EQ(render("{\"keys\":[{\"id\":\"$id\",\"n\":\"$name?\",\"t\":\"$token\",\"e\":\"$"
                     "expires\"}],\"e\":\"$expires\"}",
                     records),
              "{\"keys\":[{\"id\":\"1\",\"n\":\"a\",\"t\":\"a\\\"b\",\"e\":7},{\"id\":\"2\",\"t\":"
              "\"a\\\"b\",\"e\":null}],"
              "\"e\":\"2030-01-01T00:00:00Z\"}");
    EXPECT_EQ(render("{\"ids\":[\"$id\"]}", records), "{\"ids\":[\"1\",\"2\"]}");
    EXPECT_EQ(render("{\"ids\":[\"k-$id\"]}", records), "{\"ids\":[\"k-1\",\"k-2\"]}");
    EXPECT_EQ(render("{\"names\":[\"$name?\"]}", records), "{\"names\":[\"a\"]}");
    EXPECT_EQ(render("{\"ids\":[\"$id\"]}"), "{\"ids\":[]}");
    EXPECT_EQ(render("{\"x\":[[\"$id\"]]}", records), "{\"x\":[[\"1\"],[\"2\"]]}");
    EXPECT_EQ(render("{\"x\":[{\"y\":{\"z\":[\"$id\",\"$name\"]}}]}", records),
              "{\"x\":[{\"y\":{\"z\":[\"1\",\"a\"]}},{\"y\":{\"z\":[\"2\",null]}}]}");
}

TEST(ReplyTemplate, DoesNotRepeatOtherArrays) {
    const std::vector<ReplyTemplate::Fields> records{fields({{"id", "\"1\""}}),
                                                     fields({{"id", "\"2\""}})};
    EXPECT_EQ(render("{\"a\":[\"$token\"],\"b\":[\"x\"]}", records),
              "{\"a\":[\"a\\\"b\"],\"b\":[\"x\"]}");
    EXPECT_EQ(render("{\"a\":[\"$expires\",\"$token\"]}", records),
              "{\"a\":[\"2030-01-01T00:00:00Z\",\"a\\\"b\"]}");
    EXPECT_EQ(render("{\"a\":{\"b\":\"$expires\"}}", records),
              "{\"a\":{\"b\":\"2030-01-01T00:00:00Z\"}}");
}

TEST(ReplyTemplate, NamesUnknownFields) {
    EXPECT_EQ(error_of("{\"a\":\"$tokn\"}"),
              "unknown field \"$tokn\"; known are $token, $expires, $expires.unix, $roles, $none, "
              "$null, $title, and in an array of one element $id, $name, $expires");
    EXPECT_NE(error_of("{\"a\":[1,{\"b\":\"x $tokn\"}]}"), "");
    EXPECT_NE(error_of("{\"a\":\"$token\",\"b\":\"$tokn?\"}"), "");
    EXPECT_NE(error_of("{\"a\":[\"$bad\",\"$token\"]}"), "");
    EXPECT_NE(error_of("{\"a\":\"$bad $token\"}"), "");
    EXPECT_NE(error_of("{\"a\":\"$bad\",\"b\":\"$token\"}"), "");
    EXPECT_EQ(ReplyTemplate::parse("{\"a\":\"$x\"}", {}).error(),
              "unknown field \"$x\"; known are none");
    EXPECT_TRUE(ReplyTemplate::parse("{\"a\":[\"$token\"]}", kKnown));
}

TEST(ReplyTemplate, TakesAnyNameBelowATable) {
    const auto reply = ReplyTemplate::parse(R"({"t":"$label.team","x":["$claim.a.b?"]})",
                                            {"label.NAME"}, {"claim.NAME"});
    ASSERT_TRUE(reply) << reply.error();
    EXPECT_EQ(reply->render(fields({{"label.team", "\"a\""}}),
                            {fields({{"claim.a.b", "1"}}), fields({{"claim.a.b", "[2]"}})}),
              R"({"t":"a","x":[1,[2]]})");
    for (const char* json :
         {R"({"t":"$label"})", R"({"t":"$label."})", R"({"t":"$labels.team"})"}) {
        const auto refused = ReplyTemplate::parse(json, {"label.NAME"});
        ASSERT_FALSE(refused) << json;
        EXPECT_NE(refused.error().find("known are $label.NAME"), std::string::npos);
    }
}

TEST(ReplyTemplate, KeepsRecordFieldsInsideTheirArray) {
    const std::string expected =
        "field \"$id\" belongs to a record; it can only stand in an array of one element";
    EXPECT_EQ(error_of("{\"a\":\"$id\"}"), expected);
    EXPECT_EQ(error_of("{\"a\":[\"$id\",1]}"), expected);
    EXPECT_EQ(error_of("{\"a\":{\"b\":\"$id\"}}"), expected);
    EXPECT_EQ(error_of("{\"a\":[{\"b\":\"$id\"}]}"), "");
    EXPECT_EQ(error_of("{\"a\":[[\"$id\",\"$name\"]]}"), "");
    EXPECT_EQ(error_of("{\"a\":[{\"b\":\"$id $name\"}],\"c\":\"$id\"}"), expected);
}

TEST(ReplyTemplate, RefusesWhatIsNoJsonObject) {
    EXPECT_EQ(error_of("{"), "not a JSON object (json_bad)");
    EXPECT_EQ(error_of("[]"), "not a JSON object (json_bad)");
    EXPECT_EQ(error_of("{\"a\":1,\"a\":2}"), "not a JSON object (json_dup)");
}

}  // namespace
}  // namespace gate::policy
