#include "base/secret_text.h"

#include <gtest/gtest.h>

namespace gate {
namespace {

std::string secret(std::string_view text, SecretEncoding encoding) {
    const auto octets = decode_secret(text, encoding);
    return octets ? std::string(octets->text()) : "(" + octets.error() + ")";
}

std::string base64(std::string_view text) {
    const auto octets = decode_any_base64(text);
    return octets ? std::string(text_of(*octets)) : "(none)";
}

TEST(DecodeSecret, DropsOneNewlineOfAText) {
    EXPECT_EQ(secret("abc\n", SecretEncoding::kText), "abc");
    EXPECT_EQ(secret("abc\r\n", SecretEncoding::kText), "abc");
    EXPECT_EQ(secret("abc\n\n", SecretEncoding::kText), "abc\n");
    EXPECT_EQ(secret("abc\r", SecretEncoding::kText), "abc\r");
    EXPECT_EQ(secret(" a b ", SecretEncoding::kText), " a b ");
    EXPECT_EQ(secret("", SecretEncoding::kText), "");
}

TEST(DecodeSecret, SkipsBlanksInHexAndBase64) {
    EXPECT_EQ(secret("61 62\n63\n", SecretEncoding::kHex), "abc");
    EXPECT_EQ(secret("YW Jj\r\n", SecretEncoding::kBase64), "abc");
    EXPECT_EQ(secret("-_-_", SecretEncoding::kBase64), "\xfb\xff\xbf");
    EXPECT_EQ(secret("6g", SecretEncoding::kHex), "(is not hexadecimal)");
    EXPECT_EQ(secret("Y", SecretEncoding::kBase64), "(is not base64)");
}

TEST(DecodeAnyBase64, TakesBothAlphabetsPaddedOrNot) {
    EXPECT_EQ(base64("+/+/"), "\xfb\xff\xbf");
    EXPECT_EQ(base64("-_-_"), "\xfb\xff\xbf");
    EXPECT_EQ(base64("YQ=="), "a");
    EXPECT_EQ(base64("YQ"), "a");
    EXPECT_EQ(base64("YWI="), "ab");
    EXPECT_EQ(base64(""), "");
}

TEST(DecodeAnyBase64, RefusesPaddingThatDoesNotFit) {
    for (const char* bad : {"YQ=", "YQ===", "=", "Y=Q=", "Y", "YQ==YQ==", "YW J", "YR=="}) {
        EXPECT_EQ(base64(bad), "(none)") << bad;
    }
}

TEST(SecretEncodingName, LeadsBackToItsEncoding) {
    for (const char* name : {"text", "hex", "base64"}) {
        const auto encoding = find_secret_encoding(name);
        ASSERT_TRUE(encoding) << name;
        EXPECT_EQ(name_of(*encoding), name);
    }
    EXPECT_EQ(find_secret_encoding("HEX"), std::nullopt);
    EXPECT_EQ(find_secret_encoding(""), std::nullopt);
}

}  // namespace
}  // namespace gate
