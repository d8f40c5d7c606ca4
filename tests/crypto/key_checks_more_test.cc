// Values next to a bound of key_checks.h, where one wrong comparison would let a key in.
#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/key_checks.h"
#include "crypto/public_key.h"

namespace {

using namespace gate;
using crypto::Curve;
using crypto::KeyError;
using crypto::VerificationKey;

// A modulus of 2048 bits without known weakness: odd, and not of ROCA's shape.
ByteVector modulus() {
    ByteVector n(256, 0x5a);
    n.front() = 0xc0;
    n.back() = 0x5b;
    return n;
}

ByteVector with_leading_zeros(std::size_t size) {
    ByteVector n = modulus();
    n.insert(n.begin(), size - n.size(), 0);
    return n;
}

TEST(RsaWeaknessMore, SeesExponentsThatWouldOverflowAWord) {
    const ByteVector three_and_2_64{1, 0, 0, 0, 0, 0, 0, 0, 3};
    EXPECT_STREQ(crypto::rsa_weakness(modulus(), three_and_2_64), "RSA exponent above 2^33");
}

TEST(RsaWeaknessMore, TakesTheLargestExponentForEvenOnly) {
    EXPECT_STREQ(crypto::rsa_weakness(modulus(), ByteVector{2, 0, 0, 0, 0}),
                 "RSA exponent is even");
    EXPECT_STREQ(crypto::rsa_weakness(modulus(), ByteVector{2, 0, 0, 0, 1}),
                 "RSA exponent above 2^33");
    EXPECT_EQ(crypto::rsa_weakness(modulus(), ByteVector{1, 0xff, 0xff, 0xff, 0xff}), nullptr);
}

TEST(RsaKeyMore, RefusesLongModuliHoweverManyOfTheirOctetsAreZero) {
    const ByteVector e{1, 0, 1};
    EXPECT_TRUE(VerificationKey::from_rsa(with_leading_zeros(1024), e));
    EXPECT_TRUE(VerificationKey::from_rsa(with_leading_zeros(1025), e));
    for (const std::size_t size : {1026u, 1027u, 4096u}) {
        const auto key = VerificationKey::from_rsa(with_leading_zeros(size), e);
        ASSERT_FALSE(key) << size;
        EXPECT_EQ(key.error().error, KeyError::kWeak);
    }
}

TEST(EdwardsPointMore, RefusesThePrimeItself) {
    ByteVector p(32, 0xff);
    p.front() = 0xed;
    p.back() = 0x7f;
    EXPECT_FALSE(crypto::is_edwards_point(Curve::kEd25519, p));
    ByteVector above = p;
    above.front() = 0xf0;  // 3 in another spelling
    EXPECT_FALSE(crypto::is_edwards_point(Curve::kEd25519, above));
    ByteVector p448(57, 0xff);
    p448[28] = 0xfe;
    p448[56] = 0;
    EXPECT_FALSE(crypto::is_edwards_point(Curve::kEd448, p448));
}

TEST(SmallOrderMore, LooksAtEveryOctetOfEd448) {
    ByteVector one(57, 0);
    one[0] = 1;
    EXPECT_TRUE(crypto::is_small_order(Curve::kEd448, one));
    for (const std::size_t at : {1u, 2u, 30u, 55u, 56u}) {
        ByteVector other = one;
        other[at] = 1;
        EXPECT_FALSE(crypto::is_small_order(Curve::kEd448, other)) << at;
    }
    ByteVector above_p(57, 0xff);
    std::fill_n(above_p.begin(), 28, std::uint8_t{0});
    above_p[56] = 0;
    EXPECT_TRUE(crypto::is_small_order(Curve::kEd448, above_p));
    for (const std::size_t at : {27u, 28u, 29u, 55u}) {
        ByteVector other = above_p;
        other[at] ^= 0x10;
        EXPECT_FALSE(crypto::is_small_order(Curve::kEd448, other)) << at;
    }
}

TEST(OkpKeyMore, HasASize) {
    ByteVector y(32, 0);
    y[0] = 3;  // 3 is the y of a point, of large order
    const auto key = VerificationKey::from_okp(Curve::kEd25519, y);
    ASSERT_TRUE(key);
    EXPECT_GE((*key)->bits(), 253u);
}

TEST(EcKeyMore, NamesTheLengthWhicheverCoordinateHasAnother) {
    const ByteVector good(32, 1), off(31, 1);
    for (const auto& [x, y] : {std::pair(good, off), std::pair(off, good), std::pair(off, off)}) {
        const auto key = VerificationKey::from_ec(Curve::kP256, x, y);
        ASSERT_FALSE(key);
        EXPECT_EQ(key.error().detail, "EC coordinate of another length than the curve's");
    }
}

}  // namespace
