#include "base/bytes.h"

#include <gtest/gtest.h>

namespace gate {
namespace {

TEST(Hex, WritesLowerCaseAndReadsBothCases) {
    const ByteVector octets{0x00, 0x1f, 0xab, 0xff};
    EXPECT_EQ(to_hex(octets), "001fabff");
    EXPECT_EQ(from_hex("001fabff"), octets);
    EXPECT_EQ(from_hex("001FABFF"), octets);
    EXPECT_EQ(from_hex(""), ByteVector());
}

TEST(Hex, RefusesOddLengthAndOtherCharacters) {
    for (const char* text : {"0", "abc", "0g", "g0", " 0", "0x", "@0", "`0", "/0", ":0", "G0"}) {
        EXPECT_EQ(from_hex(text), std::nullopt) << text;
    }
}

TEST(Wipe, OverwritesEveryOctet) {
    std::string text = "secret";
    wipe(text.data(), text.size());
    EXPECT_EQ(text, std::string(6, '\0'));
    wipe(nullptr, 0);
}

TEST(SecretText, MovesAndForgetsWhereItCameFrom) {
    Secret first(bytes_of("abc"));
    Secret second(std::move(first));
    EXPECT_TRUE(first.empty());
    EXPECT_EQ(second.text(), "abc");
    Secret third(bytes_of("xyz"));
    third = std::move(second);
    EXPECT_TRUE(second.empty());
    EXPECT_EQ(third.text(), "abc");
    Secret& alias = third;
    third = std::move(alias);
    EXPECT_EQ(third.text(), "abc");
}

TEST(LogEscaped, EscapesWhatCouldEndALineOrAQuotedString) {
    EXPECT_EQ(log_escaped("a\r\n\x7f\"\\\x1f z", 100), "a\\x0d\\x0a\\x7f\\x22\\x5c\\x1f z");
    EXPECT_EQ(log_escaped(std::string_view("\0", 1), 100), "\\x00");
    EXPECT_EQ(log_escaped("\xc3\xa4", 100), "\xc3\xa4");
}

TEST(LogEscaped, CutsAtTheLimitOfInput) {
    EXPECT_EQ(log_escaped("abcdef", 3), "abc");
    EXPECT_EQ(log_escaped("\n\n\n", 2), "\\x0a\\x0a");
}

}  // namespace
}  // namespace gate
