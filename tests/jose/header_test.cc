#include "jose/header.h"

#include <gtest/gtest.h>

#include "base/base64url.h"

namespace gate::jose {
namespace {

std::string encoded(std::string_view json) {
    return base64url_encode(bytes_of(json));
}

TEST(HeaderCache, GivesTheSameHeaderForTheSameText) {
    HeaderCache cache;
    const std::string text = encoded(R"({"alg":"RS256","kid":"k1","typ":"JWT"})");
    for (int i = 0; i < 3; ++i) {
        const auto header = cache.get(text);
        ASSERT_TRUE(header);
        EXPECT_EQ(header->alg, crypto::Alg::kRS256);
        EXPECT_EQ(header->kid, "k1");
        EXPECT_EQ(header->typ, "JWT");
        EXPECT_EQ(header->document.root().member("kid").string(), "k1");
    }
}

TEST(HeaderCache, NeverTakesOneTextForAnother) {
    HeaderCache cache;
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 200; ++i) {
            const std::string kid = "k" + std::to_string(i);
            const auto header = cache.get(encoded(R"({"alg":"ES256","kid":")" + kid + "\"}"));
            ASSERT_TRUE(header);
            EXPECT_EQ(header->kid, kid);
        }
    }
}

TEST(HeaderCache, RefusesABadHeaderEachTime) {
    HeaderCache cache;
    const std::string text = encoded(R"({"alg":"none"})");
    for (int i = 0; i < 3; ++i) {
        const auto header = cache.get(text);
        ASSERT_FALSE(header);
        EXPECT_EQ(header.error(), Reason::kAlgNone);
    }
}

TEST(HeaderCache, ReadsLongHeadersWithoutKeepingThem) {
    HeaderCache cache;
    const std::string padding(HeaderCache::kMaxEncodedSize, 'x');
    const auto header = cache.get(encoded(R"({"alg":"EdDSA","x":")" + padding + "\"}"));
    ASSERT_TRUE(header);
    EXPECT_EQ(header->alg, crypto::Alg::kEdDSA);
}

}  // namespace
}  // namespace gate::jose
