#include "crypto/sign.h"

#include <gtest/gtest.h>

#include "tests/support/pem_fixtures.h"

namespace gate::crypto {
namespace {

KeyError error_of(const SigningKeyResult& key) {
    EXPECT_FALSE(key);
    return key ? KeyError::kUnsupported : key.error().error;
}

TEST(SigningKey, LoadsEveryPrivatePemThatIsNotEncrypted) {
    for (const char* pem :
         {test::kRsaPrivate, test::kRsaPrivatePkcs1, test::kP256Private, test::kP256PrivateSec1,
          test::kP384Private, test::kP521Private, test::kEd25519Private, test::kEd448Private}) {
        EXPECT_TRUE(SigningKey::from_pem(pem)) << pem;
    }
}

TEST(SigningKey, RefusesOtherPem) {
    EXPECT_EQ(error_of(SigningKey::from_pem("")), KeyError::kBad);
    EXPECT_EQ(error_of(SigningKey::from_pem(test::kP256Public)), KeyError::kBad);
    EXPECT_EQ(error_of(SigningKey::from_pem(test::kP256PrivateEncrypted)), KeyError::kBad);
    EXPECT_EQ(error_of(SigningKey::from_pem(test::kSecp256k1Private)), KeyError::kUnsupported);
}

TEST(SigningKey, SignsOnlyWithItsOwnAlgorithms) {
    const auto key = SigningKey::from_secret(ByteVector(48, 's'));
    ASSERT_TRUE(key);
    EXPECT_TRUE((*key)->sign(Alg::kHS384, bytes_of("m")));
    EXPECT_FALSE((*key)->sign(Alg::kHS512, bytes_of("m")));
    EXPECT_FALSE((*key)->sign(Alg::kRS256, bytes_of("m")));
    EXPECT_EQ(error_of(SigningKey::from_secret(ByteVector(31, 's'))), KeyError::kWeak);
}

TEST(SigningKey, RefusesPartsThatDoNotBelongTogether) {
    const ByteVector one(32, 1);
    // The base point of P-256 belongs to the scalar 1.
    const ByteVector x =
        *from_hex("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296");
    const ByteVector y =
        *from_hex("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5");
    ByteVector d(32, 0);
    d.back() = 1;
    EXPECT_TRUE(SigningKey::from_ec(Curve::kP256, x, y, d));
    d.back() = 2;
    EXPECT_EQ(error_of(SigningKey::from_ec(Curve::kP256, x, y, d)), KeyError::kBad);
    EXPECT_EQ(error_of(SigningKey::from_ec(Curve::kP256, x, y, {})), KeyError::kBad);
    EXPECT_EQ(error_of(SigningKey::from_ec(Curve::kP256, one, one, one)), KeyError::kBad);
}

TEST(SigningKey, RefusesMaterialOfOtherKinds) {
    EXPECT_EQ(error_of(SigningKey::from_okp(Curve::kP256, ByteVector(32, 1))),
              KeyError::kUnsupported);
    EXPECT_EQ(error_of(SigningKey::from_okp(Curve::kEd25519, ByteVector(31, 1))), KeyError::kBad);
    EXPECT_TRUE(SigningKey::from_okp(Curve::kEd25519, ByteVector(32, 1)));
    EXPECT_TRUE(SigningKey::from_okp(Curve::kEd448, ByteVector(57, 1)));
    EXPECT_EQ(error_of(SigningKey::from_rsa({})), KeyError::kBad);
    const ByteVector n(256, 0xfd);
    const ByteVector e{1, 0, 1};
    RsaPrivate incomplete{};
    incomplete.n = n;
    incomplete.e = e;
    EXPECT_EQ(error_of(SigningKey::from_rsa(incomplete)), KeyError::kBad);
}

}  // namespace
}  // namespace gate::crypto
