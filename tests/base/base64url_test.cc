#include "base/base64url.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>

namespace gate {
namespace {

std::optional<std::string> decoded(std::string_view text) {
    const auto octets = base64url_decode(text);
    if (!octets) return std::nullopt;
    return std::string(text_of(*octets));
}

Base64Error error_of(std::string_view text) {
    std::array<std::uint8_t, 64> out;
    const auto result = base64url_decode(text, out);
    EXPECT_FALSE(result);
    return result.error();
}

TEST(Base64urlDecode, ReadsTheVectorsOfRfc4648WithoutPadding) {
    EXPECT_EQ(decoded(""), "");
    EXPECT_EQ(decoded("Zg"), "f");
    EXPECT_EQ(decoded("Zm8"), "fo");
    EXPECT_EQ(decoded("Zm9v"), "foo");
    EXPECT_EQ(decoded("Zm9vYg"), "foob");
    EXPECT_EQ(decoded("Zm9vYmE"), "fooba");
    EXPECT_EQ(decoded("Zm9vYmFy"), "foobar");
    EXPECT_EQ(decoded("-_-_"), "\xfb\xff\xbf");
}

TEST(Base64urlDecode, RejectsPadding) {
    EXPECT_EQ(error_of("Zg=="), Base64Error::kBadChar);
    EXPECT_EQ(error_of("Zm8="), Base64Error::kBadChar);
    EXPECT_EQ(error_of("Zg="), Base64Error::kBadChar);
}

TEST(Base64urlDecode, RejectsTheStandardAlphabetBlanksAndAllOtherOctets) {
    for (int c = 0; c < 256; ++c) {
        const char octet = static_cast<char>(c);
        const bool in_alphabet = (octet >= 'A' && octet <= 'Z') || (octet >= 'a' && octet <= 'z') ||
                                 (octet >= '0' && octet <= '9') || octet == '-' || octet == '_';
        for (std::size_t place = 0; place < 4; ++place) {
            std::string text = "AAAA";
            text[place] = octet;
            EXPECT_EQ(decoded(text).has_value(), in_alphabet) << c;
        }
        EXPECT_EQ(decoded(std::string{'A', octet, 'A'}).has_value(), in_alphabet) << c;
    }
    EXPECT_EQ(error_of("A+"), Base64Error::kBadChar);
    EXPECT_EQ(error_of("AA/"), Base64Error::kBadChar);
}

TEST(Base64urlDecode, RejectsALengthThatNoOctetsHave) {
    EXPECT_EQ(error_of("A"), Base64Error::kBadLength);
    EXPECT_EQ(error_of("AAAAA"), Base64Error::kBadLength);
}

TEST(Base64urlDecode, RejectsNonzeroTrailingBits) {
    EXPECT_EQ(error_of("Zh"), Base64Error::kTrailingBits);
    EXPECT_EQ(error_of("Zm9"), Base64Error::kTrailingBits);
    // Of the 64 last characters of two and three, 4 and 16 are canonical.
    constexpr std::string_view kAll =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    int two = 0;
    int three = 0;
    for (char c : kAll) {
        two += decoded(std::string{'A', c}).has_value() ? 1 : 0;
        three += decoded(std::string{'A', 'A', c}).has_value() ? 1 : 0;
    }
    EXPECT_EQ(two, 4);
    EXPECT_EQ(three, 16);
}

TEST(Base64urlDecode, RejectsABufferThatIsTooSmall) {
    std::array<std::uint8_t, 2> small;
    EXPECT_EQ(base64url_decode("AAAA", small).error(), Base64Error::kBadLength);
    EXPECT_EQ(*base64url_decode("AAA", small), 2u);
}

TEST(Base64url, DecodesWhatItEncodesToTheSameText) {
    std::mt19937 random(4648);
    for (std::size_t size = 0; size < 200; ++size) {
        ByteVector octets(size);
        for (auto& octet : octets) octet = static_cast<std::uint8_t>(random());
        const std::string text = base64url_encode(octets);
        EXPECT_EQ(base64url_decoded_size(text.size()), size);
        EXPECT_EQ(base64url_decode(text), octets);
    }
}

TEST(Base64url, DecodesAnyPart) {
    std::mt19937 random(7515);
    ByteVector octets(40);
    for (auto& octet : octets) octet = static_cast<std::uint8_t>(random());
    for (std::size_t size = 1; size <= octets.size(); ++size) {
        const Bytes whole = Bytes(octets).first(size);
        const std::string text = base64url_encode(whole);
        for (std::size_t offset = 0; offset <= size; ++offset) {
            for (std::size_t length = 0; offset + length <= size; ++length) {
                ByteVector part(length);
                base64url_decode_range(text, offset, part);
                ASSERT_TRUE(std::ranges::equal(part, whole.subspan(offset, length)))
                    << size << ' ' << offset << ' ' << length;
            }
        }
    }
}

}  // namespace
}  // namespace gate
