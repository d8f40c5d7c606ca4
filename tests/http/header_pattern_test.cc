#include "http/header_pattern.h"

#include <gtest/gtest.h>

#include <string>

#include "http/credential_text.h"

namespace gate::http {
namespace {

TEST(HeaderPattern, KnowsItsNameByEachOctet) {
    const std::string all = "x-credential-for";
    for (std::size_t size = HeaderPattern::kMinName; size <= HeaderPattern::kMaxName; ++size) {
        const std::string name = all.substr(0, size);
        const auto pattern = HeaderPattern::of(name, "");
        ASSERT_TRUE(pattern) << size;
        EXPECT_TRUE(*pattern);
        EXPECT_TRUE(pattern->is_name(name));
        EXPECT_FALSE(pattern->is_name(name + "x")) << size;
        EXPECT_FALSE(pattern->is_name(name.substr(1))) << size;
        EXPECT_FALSE(pattern->is_name("")) << size;
        for (std::size_t at = 0; at < size; ++at) {
            std::string other = name;
            other[at] = '_';
            EXPECT_FALSE(pattern->is_name(other)) << size << " " << at;
        }
    }
}

TEST(HeaderPattern, IsNotOfOtherLengths) {
    EXPECT_FALSE(HeaderPattern::of("x-token", ""));
    EXPECT_FALSE(HeaderPattern::of("cf-access-jwt-assertion", ""));
    EXPECT_FALSE(HeaderPattern::of("authorization", "Negotiate"));
    EXPECT_TRUE(HeaderPattern::of("authorization", "Bearers"));
}

TEST(HeaderPattern, OfNothingMatchesNothing) {
    const HeaderPattern none;
    EXPECT_FALSE(none);
    EXPECT_FALSE(none.is_name(""));
    EXPECT_FALSE(none.is_name("authorization"));
}

// Where it has an answer, it is that of from_header(); it has one for what everybody sends.
TEST(HeaderPattern, TakesTheCredentialThatFromHeaderTakes) {
    for (const std::string scheme : {"", "Bearer", "X", "Bearers"}) {
        const auto pattern = HeaderPattern::of("authorization", scheme);
        ASSERT_TRUE(pattern);
        const std::string prefix = scheme.empty() ? "" : scheme + " ";
        for (const std::string rest : {"", "a", " a", "abcdefgh", "abc def ghi", "\tabcdefgh"}) {
            const std::string values[] = {
                prefix + rest,     scheme + rest,   " " + prefix + rest,   "bearer " + rest,
                "Bearer\t" + rest, "Basic " + rest, scheme + "\xa0" + rest};
            for (const std::string& value : values) {
                const std::string_view text = pattern->credential(value);
                if (text.empty()) continue;
                const Found found = from_header(value, scheme);
                EXPECT_EQ(found.count, 1u) << value;
                EXPECT_EQ(found.value, text) << value;
            }
            const std::string usual = prefix + rest;
            EXPECT_EQ(pattern->credential(usual), usual.size() < 8 ? "" : rest) << scheme;
        }
    }
}

TEST(HeaderPattern, LeavesWhatIsOutOfTheOrdinaryToOthers) {
    const auto pattern = HeaderPattern::of("authorization", "Bearer");
    for (const char* value : {"", "Bearer", "Bearer ", "bearer abcdef", "Bearer\tabcdef",
                              " Bearer abcdef", "BearerXabcdef", "Basic YTpiYzpk", "Beare"}) {
        EXPECT_EQ(pattern->credential(value), "") << value;
    }
}

}  // namespace
}  // namespace gate::http
