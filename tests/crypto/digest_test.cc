#include "crypto/digest.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace gate::crypto {
namespace {

TEST(Sha256, MatchesFips180) {
    EXPECT_EQ(to_hex(sha256(bytes_of("abc"))),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(to_hex(sha256({})),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(HmacSha256, MatchesRfc4231) {
    EXPECT_EQ(to_hex(hmac_sha256(bytes_of("Jefe"), bytes_of("what do ya want for nothing?"))),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(
        to_hex(hmac_sha256(ByteVector(131, 0xaa),
                           bytes_of("Test Using Larger Than Block-Size Key - Hash Key First"))),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    EXPECT_EQ(to_hex(hmac_sha256({}, {})),
              "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(RandomBytes, FillsAllOfItAndNeverTheSame) {
    ByteVector first(64);
    ByteVector second(64);
    ASSERT_TRUE(random_bytes(first));
    ASSERT_TRUE(random_bytes(second));
    EXPECT_NE(first, second);
    EXPECT_LT(std::count(first.begin(), first.end(), 0), 32);
    EXPECT_TRUE(random_bytes({}));
}

TEST(EqualConstantTime, ComparesSizesAndOctets) {
    EXPECT_TRUE(equal_constant_time({}, {}));
    EXPECT_TRUE(equal_constant_time(bytes_of("abc"), bytes_of("abc")));
    EXPECT_FALSE(equal_constant_time(bytes_of("abc"), bytes_of("abd")));
    EXPECT_FALSE(equal_constant_time(bytes_of("abc"), bytes_of("ab")));
    EXPECT_FALSE(equal_constant_time(bytes_of("ab"), bytes_of("abc")));
}

}  // namespace
}  // namespace gate::crypto
