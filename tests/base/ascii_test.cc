#include "base/ascii.h"

#include <gtest/gtest.h>

namespace gate {
namespace {

// All characters for which `holds` is true, in order.
template <class Predicate>
std::string all_that(Predicate holds) {
    std::string found;
    for (int c = -128; c < 128; ++c) {
        if (holds(static_cast<char>(c))) found.push_back(static_cast<char>(c));
    }
    return found;
}

TEST(AsciiLower, ChangesCapitalLettersOnly) {
    EXPECT_EQ(all_that([](char c) { return ascii_lower(c) != c; }), "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    EXPECT_EQ(ascii_lower("X-API-Key_\xc4[@Z"), "x-api-key_\xc4[@z");
    EXPECT_EQ(ascii_lower(""), "");
}

TEST(EqualIgnoringCase, ComparesWholeTexts) {
    EXPECT_TRUE(equal_ignoring_case("Bearer", "bEARER"));
    EXPECT_TRUE(equal_ignoring_case("", ""));
    EXPECT_FALSE(equal_ignoring_case("Bearer", "Beare"));
    EXPECT_FALSE(equal_ignoring_case("[", "{"));
    EXPECT_FALSE(equal_ignoring_case("\xc4", "\xe4"));
}

TEST(OctetIn, FindsItAtEachPlaceAndNowhereElse) {
    for (const unsigned octet : {0x00u, 0x01u, 0x25u, 0x2eu, 0x7fu, 0x80u, 0xffu}) {
        for (unsigned shift = 0; shift < 64; shift += 8) {
            for (unsigned other = 0; other < 256; ++other) {
                const std::uint64_t filled = std::uint64_t{0x0101010101010101} * other;
                const std::uint64_t word =
                    (filled & ~(std::uint64_t{0xff} << shift)) | std::uint64_t{octet} << shift;
                EXPECT_NE(octet_in(word, static_cast<std::uint8_t>(octet)), 0u);
                EXPECT_EQ(octet_in(filled, static_cast<std::uint8_t>(octet)) != 0, other == octet);
            }
        }
    }
}

TEST(HasControlCharacter, FindsEachOctetAtEachPlace) {
    for (std::size_t size = 0; size < 20; ++size) {
        for (const char filler : {' ', 'a', '~', '\x80', '\xff'}) {
            const std::string text(size, filler);
            EXPECT_FALSE(has_control_character(text)) << size;
            for (std::size_t at = 0; at < size; ++at) {
                for (int octet = 0; octet < 256; ++octet) {
                    std::string other = text;
                    other[at] = static_cast<char>(octet);
                    EXPECT_EQ(has_control_character(other), octet < 0x20 || octet == 0x7f)
                        << size << " " << at << " " << octet;
                }
            }
        }
    }
}

TEST(HexValue, KnowsTheDigitsOfBothCases) {
    EXPECT_EQ(all_that([](char c) { return hex_value(c) >= 0; }), "0123456789ABCDEFabcdef");
    EXPECT_EQ(hex_value('9'), 9);
    EXPECT_EQ(hex_value('a'), 10);
    EXPECT_EQ(hex_value('F'), 15);
    EXPECT_EQ(hex_value('g'), -1);
}

TEST(LowerHex, HasOneSpellingAndOneSize) {
    EXPECT_TRUE(is_lower_hex("0123456789abcdef", 16));
    EXPECT_TRUE(is_lower_hex("", 0));
    EXPECT_FALSE(is_lower_hex("0123456789abcdef", 15));
    EXPECT_FALSE(is_lower_hex("0123456789abcdef", 17));
    for (const char c : {'A', 'F', 'g', '/', ':', '`', ' ', '\0', '\xe1'}) {
        EXPECT_FALSE(is_lower_hex(std::string("0") + c, 2)) << static_cast<int>(c);
    }
}

TEST(IsWord, HoldsForLettersDigitsAndUnderscore) {
    EXPECT_EQ(all_that(is_word), "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz");
}

}  // namespace
}  // namespace gate
