#include "base/html_text.h"

#include <gtest/gtest.h>

namespace gate {
namespace {

TEST(HtmlText, EscapesWhatWouldBeMarkup) {
    EXPECT_EQ(html_escaped("<a href=\"x\" b='y'>&amp;"),
              "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;amp;");
}

TEST(HtmlText, KeepsOtherCharacters) {
    EXPECT_EQ(html_escaped(""), "");
    EXPECT_EQ(html_escaped("a\tb\nc \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"),
              "a\tb\nc \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
}

TEST(HtmlText, ReplacesControlCharactersAndWhatIsNoUtf8) {
    const std::string replacement = "\xef\xbf\xbd";
    EXPECT_EQ(html_escaped(std::string_view("a\0b", 3)), "a" + replacement + "b");
    EXPECT_EQ(html_escaped("\x7f\x1b"), replacement + replacement);
    EXPECT_EQ(html_escaped("\xff<"), replacement + "&lt;");
    // A lead octet does not swallow what stands behind it.
    EXPECT_EQ(html_escaped("\xe2<b>"), replacement + "&lt;b&gt;");
    EXPECT_EQ(html_escaped("\xc0\xbc"), replacement + replacement);
}

}  // namespace
}  // namespace gate
