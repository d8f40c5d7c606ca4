#include "policy/request_fields.h"

#include <gtest/gtest.h>
#include <jansson.h>
#include <malloc.h>
#include <string.h>

#include <cstdlib>

namespace gate::policy {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kForm = "application/x-www-form-urlencoded";

using Names = std::vector<std::string_view>;

RequestFields fields(std::string_view type, std::string_view body) {
    auto parsed = RequestFields::parse(type, body);
    EXPECT_TRUE(parsed) << parsed.error().text;
    return parsed ? std::move(*parsed) : *RequestFields::parse("", "");
}

int refused(std::string_view type, std::string_view body, std::string_view text = {}) {
    const auto parsed = RequestFields::parse(type, body);
    if (parsed) return 200;
    EXPECT_NE(parsed.error().text.find(text), std::string::npos) << parsed.error().text;
    return status_of(parsed.error().problem);
}

// The value, "-" for none, or the error.
std::string text_of(const RequestFields& from, std::string_view name) {
    const auto text = from.text(name);
    if (!text) return text.error();
    return std::string(text->value_or("-"));
}

TEST(BodyForm, IsJsonBehindABrace) {
    EXPECT_EQ(body_form("", "{}"), BodyForm::kJson);
    EXPECT_EQ(body_form(kForm, " \t\r\n{\"a\":1}"), BodyForm::kJson);
    EXPECT_EQ(body_form("text/plain", "{"), BodyForm::kJson);
    EXPECT_EQ(body_form("", "a={"), BodyForm::kForm);
    EXPECT_EQ(body_form("", "\v{"), BodyForm::kForm);
}

TEST(BodyForm, IsWhatTheMediaTypeSays) {
    for (const char* type :
         {"", " ", "application/x-www-form-urlencoded", "Application/X-WWW-Form-Urlencoded ; x=y",
          "application/x-www-form-urlencoded;charset=UTF-8"}) {
        EXPECT_EQ(body_form(type, "a=b"), BodyForm::kForm) << type;
    }
    EXPECT_EQ(body_form("APPLICATION/json; charset=utf-8", "[1]"), BodyForm::kJson);
    for (const char* type : {"text/plain", "multipart/form-data; boundary=x", "application/jsonx",
                             "application/x-www-form-urlencodedx", "application/problem+json"}) {
        EXPECT_EQ(body_form(type, "a=b"), std::nullopt) << type;
        EXPECT_EQ(refused(type, "a=b", "neither JSON nor a form"), 415) << type;
    }
}

TEST(RequestFields, AreNoneInAnEmptyBody) {
    for (const char* body : {"", " ", "\r\n\t "}) {
        const auto none = fields("text/plain", body);
        EXPECT_TRUE(none.names().empty());
        EXPECT_FALSE(none.present("a"));
        EXPECT_EQ(text_of(none, "a"), "-");
    }
    EXPECT_TRUE(fields(kJson, "{}").names().empty());
    EXPECT_TRUE(fields(kForm, "&&").names().empty());
}

TEST(RequestFields, ReadTexts) {
    const auto json = fields(kJson, R"( {"name":"B\u00e4r","n":7,"none":null,"e":"","l":["x"]} )");
    EXPECT_EQ(text_of(json, "name"), "B\xc3\xa4r");
    EXPECT_EQ(text_of(json, "e"), "");
    EXPECT_EQ(text_of(json, "none"), "-");
    EXPECT_EQ(text_of(json, "gone"), "-");
    EXPECT_EQ(text_of(json, "n"), "field \"n\" is wrong; expected a text");
    EXPECT_EQ(text_of(json, "l"), "field \"l\" is wrong; expected a text");
    EXPECT_TRUE(json.present("e"));
    EXPECT_FALSE(json.present("none"));
    EXPECT_EQ(json.names().size(), 5u);

    const auto form = fields(kForm, "name=B%c3%A4r+x&e=&flag&a%3Db=c%26d&=nameless&p=x=y");
    EXPECT_EQ(text_of(form, "name"), "B\xc3\xa4r x");
    EXPECT_EQ(text_of(form, "e"), "");
    EXPECT_EQ(text_of(form, "flag"), "");
    EXPECT_EQ(text_of(form, "a=b"), "c&d");
    EXPECT_EQ(text_of(form, "p"), "x=y");
    EXPECT_EQ(text_of(form, ""), "-");
    EXPECT_EQ(form.names(), (Names{"name", "e", "flag", "a=b", "", "p"}));
}

TEST(RequestFields, ReadIntegers) {
    const auto json = fields(kJson, R"({"a":-5,"b":"12","c":1.0,"d":"1x","e":true,"f":""})");
    EXPECT_EQ(**json.integer("a"), -5);
    EXPECT_EQ(**json.integer("b"), 12);
    for (const char* name : {"c", "d", "e", "f"}) {
        ASSERT_FALSE(json.integer(name)) << name;
        EXPECT_EQ(json.integer(name).error(),
                  "field \"" + std::string(name) + "\" is wrong; expected an integer");
    }
    EXPECT_FALSE(json.integer("gone")->has_value());
    const auto form = fields(kForm, "a=-5&b=9223372036854775807&c=9223372036854775808&d=%2B1&e=+1");
    EXPECT_EQ(**form.integer("a"), -5);
    EXPECT_EQ(**form.integer("b"), INT64_MAX);
    for (const char* name : {"c", "d", "e"}) EXPECT_FALSE(form.integer(name)) << name;
}

TEST(RequestFields, ReadBooleans) {
    const auto json = fields(kJson, R"({"a":true,"b":false,"c":"true","d":1,"e":"TRUE"})");
    EXPECT_TRUE(**json.boolean("a"));
    EXPECT_FALSE(**json.boolean("b"));
    EXPECT_TRUE(**json.boolean("c"));
    EXPECT_FALSE(json.boolean("d"));
    EXPECT_EQ(json.boolean("e").error(), "field \"e\" is wrong; expected true or false");
    EXPECT_FALSE(json.boolean("gone")->has_value());
    EXPECT_FALSE(**fields(kForm, "a=false").boolean("a"));
    EXPECT_FALSE(fields(kForm, "a=").boolean("a"));
}

TEST(RequestFields, ReadInstants) {
    const auto json = fields(kJson, R"({"a":"2030-01-31T00:00:00Z","b":1700000000,"c":"1700000000",
        "d":-1,"e":253402300799,"f":253402300800,"g":"tomorrow","h":[]})");
    EXPECT_EQ(**json.instant("a"), 1896048000);
    EXPECT_EQ(**json.instant("b"), 1700000000);
    EXPECT_EQ(**json.instant("c"), 1700000000);
    EXPECT_EQ(**json.instant("e"), 253402300799);
    for (const char* name : {"d", "f", "g", "h"}) EXPECT_FALSE(json.instant(name)) << name;
    EXPECT_EQ(json.instant("g").error(),
              "field \"g\" is wrong; expected an instant such as \"2030-01-31T00:00:00Z\"");
    EXPECT_FALSE(json.instant("gone")->has_value());
    EXPECT_EQ(**fields(kForm, "a=1970-01-01T00%3A00:09Z").instant("a"), 9);
}

TEST(RequestFields, ReadLists) {
    const auto json = fields(kJson, R"({"a":["x","y z"],"b":" x\ty ","c":[],"d":[1],"e":{}})");
    EXPECT_EQ(**json.list("a"), (Names{"x", "y z"}));
    EXPECT_EQ(**json.list("b"), (Names{"x", "y"}));
    EXPECT_EQ(**json.list("c"), Names{});
    EXPECT_EQ(json.list("d").error(), "field \"d\" is wrong; expected a list of texts");
    EXPECT_FALSE(json.list("e"));
    EXPECT_FALSE(json.list("gone")->has_value());
    const auto form = fields(kForm, "a=x++y%0A&b=");
    EXPECT_EQ(**form.list("a"), (Names{"x", "y"}));
    EXPECT_EQ(**form.list("b"), Names{});
}

TEST(RequestFields, RefuseMalformedJson) {
    EXPECT_EQ(refused(kJson, "[1]", "no JSON object"), 400);
    EXPECT_EQ(refused(kJson, "a=b", "no JSON object"), 400);
    EXPECT_EQ(refused("", "{\"a\":1", "no JSON object"), 400);
    EXPECT_EQ(refused("", "{\"a\":1}x", "no JSON object"), 400);
    EXPECT_EQ(refused("", "{\"a\":1,\"a\":2}", "a member twice"), 400);
    EXPECT_EQ(refused("", R"({"x":{"a":1,"a":2}})", "a member twice"), 400);
    EXPECT_EQ(refused("", "{\"a\":99999999999999999999}", "out of range"), 400);
    EXPECT_EQ(refused("", R"({"a":"x\u0000y"})", "NUL"), 400);
    EXPECT_EQ(refused("", R"({"a":[1,{"b":["\u0000"]}]})", "NUL"), 400);
    EXPECT_EQ(refused("", R"({"a\u0000":1})"), 400);
    EXPECT_EQ(refused("", "{\"a\":\"\xff\"}"), 400);
    EXPECT_EQ(refused("", R"({"a":"\\u0000"})"), 200);
}

TEST(RequestFields, RefuseMalformedForms) {
    for (const char* body : {"a=%", "a=%4", "a=%4g", "a=%g4", "%=a", "a=b&c=%%20", "a=%4&b"}) {
        EXPECT_EQ(refused(kForm, body, "'%'"), 400) << body;
    }
    EXPECT_EQ(refused(kForm, "a=%00", "NUL"), 400);
    EXPECT_EQ(refused(kForm, std::string_view("a=b\0c", 5), "NUL"), 400);
    EXPECT_EQ(refused(kForm, "a=%ff", "UTF-8"), 400);
    EXPECT_EQ(refused(kForm, "a=%c3&%a4=b", "UTF-8"), 400);
    EXPECT_EQ(refused(kForm, "a=1&b=2&a=1", "a field twice"), 400);
    EXPECT_EQ(refused(kForm, "a=1&%61=2", "a field twice"), 400);
    EXPECT_EQ(refused(kForm, "=1&=2", "a field twice"), 400);
    EXPECT_EQ(refused(kForm, "a=%41%4a%4F"), 200);
}

TEST(RequestFields, HaveLimits) {
    std::string form;
    std::string json = "{";
    for (std::size_t i = 0; i < RequestFields::kMaxFields; ++i) {
        form += (i == 0 ? "f" : "&f") + std::to_string(i) + "=1";
        json += (i == 0 ? "\"f" : ",\"f") + std::to_string(i) + "\":1";
    }
    EXPECT_EQ(refused(kForm, form), 200);
    EXPECT_EQ(refused(kForm, form + "&&"), 200);
    EXPECT_EQ(refused(kForm, form + "&g", "more than 64 fields"), 400);
    EXPECT_EQ(refused(kJson, json + "}"), 200);
    EXPECT_EQ(refused(kJson, json + ",\"g\":1}", "too many"), 400);
    EXPECT_EQ(refused(kJson, "{\"a\":[[[[[[[1]]]]]]]}"), 200);
    EXPECT_EQ(refused(kJson, "{\"a\":[[[[[[[[1]]]]]]]]}", "too many"), 400);

    const std::string most = "a=" + std::string(RequestFields::kMaxBody - 2, 'x');
    EXPECT_EQ(refused(kForm, most), 200);
    EXPECT_EQ(refused(kForm, most + "x", "larger than 65536 octets"), 413);
    EXPECT_EQ(refused("text/plain", most + "x"), 413);
}

TEST(RequestFields, KeepTheirViewsWhenTheyMove) {
    for (const char* body : {R"({"password":"secret","l":["a"]})", "password=secret&l=a"}) {
        auto from = fields("", body);
        const std::string_view password = **from.text("password");
        const RequestFields to = std::move(from);
        EXPECT_EQ(password, "secret");
        EXPECT_EQ(to.text("password")->value().data(), password.data());
        EXPECT_EQ(**to.list("l"), Names{"a"});
        RequestFields last = fields("", "{\"password\":\"other\"}");
        last = fields("", body);
        EXPECT_EQ(text_of(last, "password"), "secret");
        last = fields("", "x=y");
        EXPECT_EQ(last.names(), Names{"x"});
    }
}

std::size_t g_secrets_freed = 0;

void free_watching(void* memory) {
    constexpr std::string_view kSecret = "xyzzy";
    if (memory != nullptr &&
        memmem(memory, malloc_usable_size(memory), kSecret.data(), kSecret.size()) != nullptr) {
        ++g_secrets_freed;
    }
    std::free(memory);
}

TEST(RequestFields, AreWipedBeforeTheyAreFreed) {
    constexpr std::string_view kBody =
        R"({"password":"xyzzy","l":["a xyzzy"],"o":{"deep":["the xyzzy of the whole"]}})";
    std::optional<RequestFields> dies = fields("", kBody);
    RequestFields replaced = fields("", kBody);
    RequestFields moved = std::move(*dies);
    dies = fields("", kBody);
    RequestFields none = fields("", "");
    g_secrets_freed = 0;
    json_set_alloc_funcs(std::malloc, free_watching);
    dies.reset();
    replaced = std::move(none);
    json_set_alloc_funcs(std::malloc, std::free);
    EXPECT_EQ(g_secrets_freed, 0u);
    EXPECT_EQ(text_of(moved, "password"), "xyzzy");
}

TEST(BodyProblem, HasAStatus) {
    EXPECT_EQ(status_of(BodyProblem::kMalformed), 400);
    EXPECT_EQ(status_of(BodyProblem::kTooLarge), 413);
    EXPECT_EQ(status_of(BodyProblem::kMediaType), 415);
}

}  // namespace
}  // namespace gate::policy
