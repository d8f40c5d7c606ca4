#include "cache/percent_text.h"

#include <gtest/gtest.h>

namespace gate::cache {
namespace {

using namespace std::literals;

std::string encoded(std::string_view text) {
    std::string out;
    append_encoded(out, text);
    return out;
}

TEST(PercentText, IsOneWord) {
    const struct {
        std::string_view text;
        const char* word;
    } cases[] = {
        {"", "-"},
        {"-", "%2D"},
        {"--", "--"},
        {"a-b_c.d~E9", "a-b_c.d~E9"},
        {"https://idp.example.com", "https%3A%2F%2Fidp.example.com"},
        {"a b\n\0\xff%"sv, "a%20b%0A%00%FF%25"},
        {"*", "%2A"},
    };
    for (const auto& [text, word] : cases) {
        EXPECT_EQ(encoded(text), word);
        EXPECT_EQ(decoded(word), text) << word;
    }
    std::string out = "x ";
    append_encoded(out, "");
    EXPECT_EQ(out, "x -");
}

TEST(PercentText, CarriesEveryOctet) {
    for (int octet = 0; octet < 256; ++octet) {
        const std::string text(1, static_cast<char>(octet));
        EXPECT_EQ(decoded(encoded(text)), text);
        EXPECT_EQ(decoded(encoded(text + "x")), text + "x");
    }
}

TEST(PercentText, HasOneSpelling) {
    for (const char* word :
         {"",         "%",   "%4",   "a%4", "%G0",  "%0G",   "%ff", "%fF", "%Ff",
          "%41",      "%5F", "%2E",  "%7E", "%2Dx", "--%2D", "a b", "a:b", "a/b",
          "\xc3\xa9", "*",   "%%20", "%-1", "/00",  "a:FF",  "%0a", "%a0", "%0f"}) {
        EXPECT_FALSE(decoded(word)) << word;
    }
    // What stands behind the word is none of it.
    constexpr std::string_view kMore = "x%00";
    EXPECT_EQ(decoded(kMore), "x\0"sv);
    EXPECT_FALSE(decoded(kMore.substr(0, 3)));
    EXPECT_FALSE(decoded(kMore.substr(0, 2)));
}

}  // namespace
}  // namespace gate::cache
