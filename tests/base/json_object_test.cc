#include "base/json_object.h"

#include <gtest/gtest.h>

namespace gate {
namespace {

TEST(JsonObject, PutsMembersInTheirOrder) {
    JsonObject object;
    object.text("a", "x\"y").number("b", -5).boolean("c", true).raw("d", "[1]");
    object.texts("e", {"p", "q"}).texts("f", {});
    EXPECT_EQ(object.str(), R"({"a":"x\"y","b":-5,"c":true,"d":[1],"e":["p","q"],"f":[]})");
}

TEST(JsonObject, IsEmptyWithoutMembers) {
    EXPECT_EQ(JsonObject().str(), "{}");
}

TEST(JsonObject, TakesMembersOfAnother) {
    EXPECT_EQ(JsonObject().members("{}").str(), "{}");
    EXPECT_EQ(JsonObject().members(R"({"a":1,"b":2})").str(), R"({"a":1,"b":2})");
    EXPECT_EQ(JsonObject().number("x", 0).members("{}").number("y", 1).str(), R"({"x":0,"y":1})");
    EXPECT_EQ(JsonObject().number("x", 0).members(R"({"a":1})").str(), R"({"x":0,"a":1})");
}

TEST(JsonObject, EscapesNames) {
    EXPECT_EQ(JsonObject().text("a\n", "").str(), R"({"a\u000a":""})");
}

TEST(JsonArray, JoinsElements) {
    EXPECT_EQ(json_array({}), "[]");
    EXPECT_EQ(json_array({"1", "{}"}), "[1,{}]");
}

}  // namespace
}  // namespace gate
