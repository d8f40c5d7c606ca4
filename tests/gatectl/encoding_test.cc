#include "gatectl/encoding.h"

#include "tests/gatectl/tool.h"

namespace gate::ctl {
namespace {

std::string decoded(std::string_view text) {
    const auto octets = decode_base64(text);
    return octets ? std::string(text_of(*octets)) : "(none)";
}

TEST(DecodeBase64, TakesPaddedAndUnpaddedText) {
    EXPECT_EQ(decoded("YQ=="), "a");
    EXPECT_EQ(decoded("YQ"), "a");
    EXPECT_EQ(decoded("YWI="), "ab");
    EXPECT_EQ(decoded("YWJj"), "abc");
    EXPECT_EQ(decoded("+/+/"), "\xfb\xff\xbf");
    EXPECT_EQ(decoded(""), "");
}

TEST(DecodeBase64, RefusesOtherText) {
    for (const char* bad : {"YQ=", "YQ===", "=", "Y=Q=", "Y", "YQ==YQ==", "-_-_", "YW J", "YR=="}) {
        EXPECT_EQ(decoded(bad), "(none)") << bad;
    }
}

TEST(EncodeBase64, PadsAndIsDecodedAgain) {
    EXPECT_EQ(encode_base64(bytes_of("a")), "YQ==");
    EXPECT_EQ(encode_base64(bytes_of("ab")), "YWI=");
    EXPECT_EQ(encode_base64(bytes_of("abc")), "YWJj");
    EXPECT_EQ(encode_base64(bytes_of("\xfb\xff\xbf")), "+/+/");
}

class SecretFile : public DirectoryTest {};

TEST_F(SecretFile, NamesTheFileInItsErrors) {
    const std::string file = write("s", "xyz");
    const auto bad = read_secret_file(file, SecretEncoding::kHex);
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error(), file + ": is not hexadecimal");
    const auto missing = read_secret_file(path("none"), SecretEncoding::kText);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error(), path("none") + ": No such file or directory");
}

TEST(SecretNew, PrintsRandomOctets) {
    const ToolResult hex = tool({"secret", "new"});
    EXPECT_EQ(hex.status, kDone);
    EXPECT_EQ(hex.out.size(), 129u);
    EXPECT_TRUE(from_hex(std::string_view(hex.out).substr(0, 128)));
    EXPECT_NE(tool({"secret", "new"}).out, hex.out);
    const ToolResult base64 = tool({"secret", "new", "--base64", "--octets", "32"});
    EXPECT_EQ(decode_base64(std::string_view(base64.out).substr(0, 44))->size(), 32u);
}

TEST(SecretNew, TellsTheEncodingInJson) {
    const ToolResult hex = tool({"secret", "new", "--json", "--octets", "32"});
    EXPECT_EQ(hex.status, kDone);
    EXPECT_TRUE(hex.out.starts_with(R"({"secret":")"));
    EXPECT_TRUE(hex.out.ends_with("\",\"encoding\":\"hex\"}\n"));
    EXPECT_TRUE(from_hex(std::string_view(hex.out).substr(11, 64)));
    const ToolResult base64 = tool({"secret", "new", "--json", "--base64"});
    EXPECT_TRUE(base64.out.ends_with("\",\"encoding\":\"base64\"}\n"));
}

TEST(SecretNew, RefusesShortSecrets) {
    for (const char* octets : {"31", "1025", "0", "-1", "x", "32x", ""}) {
        EXPECT_EQ(tool({"secret", "new", "--octets", octets}).status, kUsage) << octets;
    }
    EXPECT_EQ(tool({"secret", "new", "--hex", "--base64"}).status, kUsage);
}

}  // namespace
}  // namespace gate::ctl
