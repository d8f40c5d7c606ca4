#include "crypto/key_checks.h"

#include <gtest/gtest.h>

#include <string>

#include "crypto/digest.h"

namespace gate::crypto {
namespace {

// k*M + (65537^a mod M), with M the product of the primes up to 167: the shape of the flawed keys.
constexpr const char* kRocaModulus =
    "8e820ed2ee64855cfd9eafbbf1d89dcc3b6e5e0a778e2ba4b25082224de617bdfae714993598dcbfc5c80bf8"
    "b386ab06131dc238b566fb159a9018bf3c4e103e6b8acc4b208bac12d31084b5e988e5119d5eded6e2ac3084"
    "6c94d6951726ac821fac91f5b50ce118ab6d63dd228a4b5ec47b92dc3e8b5f4ac7192efbae7604b5a16be127"
    "0b443728e09ef72717c4e2f2835b8941934e138a713ae15c57bfea078b54c67b434626790f6d5a1b4a8442eb"
    "30d4b9460d574f9f2dc3023f8fcb5e842eb0812b067bba84f3fd76717d21ef4f845513286e73198f7619db9a"
    "1f796cfb0e72d5fdf8d08b08741e82b617e9af9bb53ebc8acfaafac35cdd535e0d7ac0e7";

ByteVector hex(const std::string& text) {
    return from_hex(text).value_or(ByteVector());
}

// An odd number of so many bits that nothing else is wrong with.
ByteVector modulus(std::size_t bits) {
    ByteVector n((bits + 7) / 8);
    EXPECT_TRUE(random_bytes(n));
    n.front() = static_cast<std::uint8_t>(1u << ((bits - 1) % 8));
    n.back() |= 1;
    return n;
}

std::string weakness(const ByteVector& n, const std::string& e) {
    const char* text = rsa_weakness(n, hex(e));
    return text == nullptr ? "" : text;
}

TEST(BitLength, IgnoresLeadingZeros) {
    EXPECT_EQ(bit_length({}), 0u);
    EXPECT_EQ(bit_length(hex("0000")), 0u);
    EXPECT_EQ(bit_length(hex("0001")), 1u);
    EXPECT_EQ(bit_length(hex("80")), 8u);
    EXPECT_EQ(bit_length(hex("0100000000")), 33u);
}

TEST(RsaWeakness, BoundsTheModulus) {
    EXPECT_EQ(weakness(modulus(2048), "010001"), "");
    EXPECT_EQ(weakness(modulus(8192), "010001"), "");
    EXPECT_EQ(weakness(modulus(2047), "010001"), "RSA modulus shorter than 2048 bits");
    EXPECT_EQ(weakness(modulus(8193), "010001"), "RSA modulus longer than 8192 bits");
    EXPECT_EQ(weakness({}, "010001"), "RSA modulus shorter than 2048 bits");
    ByteVector even = modulus(2048);
    even.back() &= 0xfe;
    EXPECT_EQ(weakness(even, "010001"), "RSA modulus is even");
}

TEST(RsaWeakness, BoundsTheExponent) {
    const ByteVector n = modulus(2048);
    EXPECT_EQ(weakness(n, "03"), "");
    EXPECT_EQ(weakness(n, "01ffffffff"), "");
    EXPECT_EQ(weakness(n, ""), "RSA exponent below 3");
    EXPECT_EQ(weakness(n, "00"), "RSA exponent below 3");
    EXPECT_EQ(weakness(n, "01"), "RSA exponent below 3");
    EXPECT_EQ(weakness(n, "02"), "RSA exponent below 3");
    EXPECT_EQ(weakness(n, "010000"), "RSA exponent is even");
    EXPECT_EQ(weakness(n, "0200000001"), "RSA exponent above 2^33");
    EXPECT_EQ(weakness(n, "0400000001"), "RSA exponent above 2^33");
    EXPECT_EQ(weakness(n, std::string(512, 'f')), "RSA exponent above 2^33");
}

TEST(RsaWeakness, FindsTheRocaFlaw) {
    EXPECT_EQ(weakness(hex(kRocaModulus), "010001"),
              "RSA modulus with the ROCA flaw (CVE-2017-15361)");
    ByteVector next = hex(kRocaModulus);
    next.back() ^= 2;
    EXPECT_EQ(weakness(next, "010001"), "");
    EXPECT_FALSE(has_roca_shape(hex("03")));
}

// The eight points of small order, in every spelling that a decoder might reduce modulo p.
TEST(SmallOrder, IsFoundInEverySpellingOnEd25519) {
    const std::string zeros(60, '0');
    const std::string ones(60, 'f');
    for (const std::string& y :
         {"00" + zeros + "00", "01" + zeros + "00", "ec" + ones + "7f", "ed" + ones + "7f",
          "ee" + ones + "7f",
          std::string("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
          std::string("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")}) {
        ByteVector x = hex(y);
        EXPECT_TRUE(is_small_order(Curve::kEd25519, x)) << y;
        x.back() |= 0x80;
        EXPECT_TRUE(is_small_order(Curve::kEd25519, x)) << y;
    }
    for (const std::string& y :
         {"02" + zeros + "00", "eb" + ones + "7f", "ef" + ones + "7f", "01" + zeros + "01",
          "ed" + ones + "7e",
          std::string("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc06")}) {
        EXPECT_FALSE(is_small_order(Curve::kEd25519, hex(y))) << y;
    }
}

TEST(SmallOrder, IsFoundInEverySpellingOnEd448) {
    const std::string low(54, 'f');   // octets 1 to 27 of p
    const std::string high(54, 'f');  // octets 29 to 55
    const std::string zeros(110, '0');
    for (const std::string& y :
         {"00" + zeros, "01" + zeros, "fe" + low + "fe" + high, "ff" + low + "fe" + high,
          std::string(56, '0') + std::string(56, 'f')}) {
        EXPECT_TRUE(is_small_order(Curve::kEd448, hex(y + "00"))) << y;
        EXPECT_TRUE(is_small_order(Curve::kEd448, hex(y + "80"))) << y;
        EXPECT_FALSE(is_small_order(Curve::kEd448, hex(y + "01"))) << y;
    }
    for (const std::string& y : {"02" + zeros, "fd" + low + "fe" + high, "fe" + low + "ff" + high,
                                 std::string(54, '0') + "01" + std::string(56, 'f')}) {
        EXPECT_FALSE(is_small_order(Curve::kEd448, hex(y + "00"))) << y;
    }
}

TEST(EdwardsPoint, AcceptsTheKeysOfRfc8032) {
    for (const char* x : {"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
                          "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
                          "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"}) {
        EXPECT_TRUE(is_edwards_point(Curve::kEd25519, hex(x))) << x;
    }
    for (const char* x :
         {"5fd7449b59b461fd2ce787ec616ad46a1da1342485a70e1f8a0ea75d80e96778edf124769b46c"
          "7061bd6783df1e50f6cd1fa1abeafe8256180",
          "43ba28f430cdff456ae531545f7ecd0ac834a55d9358c0372bfa0c6c6798c0866aea01eb0074"
          "2802b8438ea4cb82169c235160627b4c3a9480"}) {
        EXPECT_TRUE(is_edwards_point(Curve::kEd448, hex(x))) << x;
    }
}

TEST(EdwardsPoint, RefusesWhatIsNotOnTheCurveOrNotCanonical) {
    int on_curve = 0;
    for (int y = 2; y < 102; ++y) {
        ByteVector x(32);
        x[0] = static_cast<std::uint8_t>(y);
        on_curve += is_edwards_point(Curve::kEd25519, x) ? 1 : 0;
    }
    // Half of all y belong to a point.
    EXPECT_GT(on_curve, 30);
    EXPECT_LT(on_curve, 70);
    EXPECT_FALSE(is_edwards_point(Curve::kEd25519, hex("02" + std::string(62, '0'))));
    // p + 3 and p + 4, of which the latter names the point with y = 4 a second time.
    for (const char* first : {"f0", "f1"}) {
        EXPECT_FALSE(is_edwards_point(Curve::kEd25519, hex(first + std::string(60, 'f') + "7f")));
    }
    EXPECT_FALSE(is_edwards_point(Curve::kEd448, hex(std::string(112, '0') + "01")));
    EXPECT_FALSE(is_edwards_point(Curve::kEd448, hex(std::string(112, 'f') + "00")));
}

}  // namespace
}  // namespace gate::crypto
