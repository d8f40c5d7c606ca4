#include "apikey/key_digest.h"

#include <gtest/gtest.h>

#include <string>

namespace gate::apikey {
namespace {

TEST(ParseDigest, ReadsWhatToHexWrites) {
    const crypto::Digest256 digest = digest_key("acme_x", DigestKind::kSha256, {});
    EXPECT_EQ(parse_digest(to_hex(digest)), digest);
    EXPECT_EQ(parse_digest(std::string(64, '0')), crypto::Digest256{});
}

TEST(ParseDigest, TakesNoOtherSpelling) {
    const std::string good = to_hex(digest_key("acme_x", DigestKind::kSha256, {}));
    EXPECT_FALSE(parse_digest(""));
    EXPECT_FALSE(parse_digest(good.substr(1)));
    EXPECT_FALSE(parse_digest(good.substr(2)));
    EXPECT_FALSE(parse_digest(good + "00"));
    EXPECT_FALSE(parse_digest(std::string(63, '0') + "A"));
    EXPECT_FALSE(parse_digest(std::string(63, '0') + "g"));
}

}  // namespace
}  // namespace gate::apikey
