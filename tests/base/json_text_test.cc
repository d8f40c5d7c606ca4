#include "base/json_text.h"

#include <gtest/gtest.h>

#include <string>

#include "jose/json.h"

namespace gate {
namespace {

using std::string_literals::operator""s;

constexpr const char* kReplacement = "\\ufffd";

TEST(JsonString, QuotesPlainText) {
    EXPECT_EQ(json_string(""), "\"\"");
    EXPECT_EQ(json_string("abc /~"), "\"abc /~\"");
}

TEST(JsonString, EscapesQuotesBackslashesAndControls) {
    EXPECT_EQ(json_string("a\"b\\c"), "\"a\\\"b\\\\c\"");
    EXPECT_EQ(json_string("\x01\x1f\x7f\n"), "\"\\u0001\\u001f\\u007f\\u000a\"");
    EXPECT_EQ(json_string("\0"s), "\"\\u0000\"");
    EXPECT_EQ(json_string(" ~"), "\" ~\"");
}

TEST(JsonString, KeepsUtf8) {
    for (const char* text :
         {"\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xe1\x80\x80", "\xec\xbf\xbf", "\xed\x80\x80",
          "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf1\x80\x80\x80",
          "\xf3\xbf\xbf\xbf", "\xf4\x80\x80\x80", "\xf4\x8f\xbf\xbf"}) {
        EXPECT_EQ(json_string(text), "\"" + std::string(text) + "\"");
    }
}

TEST(JsonString, ReplacesWhatIsNotUtf8) {
    EXPECT_EQ(json_string("\x80"), "\"" + std::string(kReplacement) + "\"");
    EXPECT_EQ(json_string("a\xff"
                          "b"),
              "\"a" + std::string(kReplacement) + "b\"");
    for (const char* text : {"\xc0\x80", "\xc1\xbf", "\xc2\x7f", "\xc2\xc0", "\xc2", "\xe0\x9f\x80",
                             "\xe0\xa0", "\xe1\x7f\x80", "\xe1\x80\x7f", "\xe1\x80\xc0",
                             "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\x80\x80", "\xf0\x90\x80",
                             "\xf1\x80\x80\x41", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
        const std::string json = json_string(text);
        EXPECT_EQ(json.find(kReplacement), 1u) << json;
        EXPECT_TRUE(jose::Document::parse("{\"a\":" + json + "}")) << json;
    }
}

TEST(JsonString, IsReadBackAsTheSameText) {
    std::string text;
    for (int c = 0; c < 128; ++c) text += static_cast<char>(c);
    text += "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80";
    const auto document = jose::Document::parse("{\"a\":" + json_string(text) + "}");
    ASSERT_TRUE(document);
    EXPECT_EQ(document->root().member("a").string(), text);
}

}  // namespace
}  // namespace gate
