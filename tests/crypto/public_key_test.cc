#include "crypto/public_key.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include "base/base64url.h"
#include "crypto/digest.h"
#include "crypto/sign.h"
#include "tests/support/pem_fixtures.h"

namespace gate::crypto {
namespace {

using test::kEd25519Private;
using test::kEd448Private;
using test::kP256Private;
using test::kP384Private;
using test::kP521Private;
using test::kRsaPrivate;

const Bytes kMessage = bytes_of("header.payload");

KeyError error_of(const KeyResult& key) {
    EXPECT_FALSE(key);
    EXPECT_FALSE(key.error().detail.empty());
    return key.error().error;
}

std::shared_ptr<SigningKey> signer(const char* pem) {
    auto key = SigningKey::from_pem(pem);
    EXPECT_TRUE(key);
    return *key;
}

TEST(SecretKey, ServesTheHashesThatItIsLongEnoughFor) {
    const auto algs_of = [](std::size_t size) {
        const auto key = VerificationKey::from_secret(ByteVector(size, 'k'));
        return key ? (*key)->algs().names() : "";
    };
    EXPECT_EQ(algs_of(0), "");
    EXPECT_EQ(algs_of(31), "");
    EXPECT_EQ(algs_of(32), "HS256");
    EXPECT_EQ(algs_of(47), "HS256");
    EXPECT_EQ(algs_of(48), "HS256 HS384");
    EXPECT_EQ(algs_of(63), "HS256 HS384");
    EXPECT_EQ(algs_of(64), "HS256 HS384 HS512");
    EXPECT_EQ(error_of(VerificationKey::from_secret({})), KeyError::kWeak);
    const auto key = VerificationKey::from_secret(ByteVector(64, 'k'));
    EXPECT_EQ((*key)->family(), Family::kOct);
    EXPECT_EQ((*key)->curve(), Curve::kNone);
    EXPECT_EQ((*key)->bits(), 512u);
}

TEST(SecretKey, VerifiesWithAReusedContextWhateverCameBefore) {
    const ByteVector secret(64, 'k');
    const auto key = VerificationKey::from_secret(secret);
    const Digest256 mac = hmac_sha256(secret, kMessage);
    for (int round = 0; round < 3; ++round) {
        EXPECT_TRUE((*key)->verify(Alg::kHS256, kMessage, mac));
        EXPECT_FALSE((*key)->verify(Alg::kHS256, bytes_of("other"), mac));
        EXPECT_FALSE((*key)->verify(Alg::kHS256, kMessage, Bytes(mac).first(31)));
        EXPECT_FALSE((*key)->verify(Alg::kHS256, kMessage, {}));
        EXPECT_FALSE((*key)->verify(Alg::kHS384, kMessage, mac));
    }
    EXPECT_FALSE((*key)->verify(Alg::kRS256, kMessage, mac));
    EXPECT_FALSE((*key)->verify(Alg::kEdDSA, kMessage, mac));
}

TEST(RsaKey, IsRefusedForItsMaterial) {
    const ByteVector e{1, 0, 1};
    EXPECT_EQ(error_of(VerificationKey::from_rsa({}, e)), KeyError::kBad);
    EXPECT_EQ(error_of(VerificationKey::from_rsa(ByteVector(256, 0xff), {})), KeyError::kBad);
    EXPECT_EQ(error_of(VerificationKey::from_rsa(ByteVector(128, 0xff), e)), KeyError::kWeak);
    EXPECT_EQ(error_of(VerificationKey::from_rsa(ByteVector(1026, 0xff), e)), KeyError::kWeak);
    EXPECT_EQ(error_of(VerificationKey::from_rsa(ByteVector(1 << 20, 0xff), e)), KeyError::kWeak);
    EXPECT_EQ(error_of(VerificationKey::from_rsa(ByteVector(256, 0xff), ByteVector{1})),
              KeyError::kWeak);
}

TEST(EcKey, NeedsExactLengthsAndAPointOfItsCurve) {
    const ByteVector zeros(32, 0);
    EXPECT_EQ(error_of(VerificationKey::from_ec(Curve::kP256, zeros, zeros)), KeyError::kBad);
    EXPECT_EQ(error_of(VerificationKey::from_ec(Curve::kP256, ByteVector(31), zeros)),
              KeyError::kBad);
    EXPECT_EQ(error_of(VerificationKey::from_ec(Curve::kP256, zeros, ByteVector(33))),
              KeyError::kBad);
    EXPECT_EQ(error_of(VerificationKey::from_ec(Curve::kEd25519, zeros, zeros)),
              KeyError::kUnsupported);
    EXPECT_EQ(error_of(VerificationKey::from_ec(Curve::kNone, {}, {})), KeyError::kUnsupported);
}

TEST(OkpKey, NeedsItsLengthAndAPointThatIsNotOfSmallOrder) {
    EXPECT_EQ(error_of(VerificationKey::from_okp(Curve::kP256, ByteVector(32))),
              KeyError::kUnsupported);
    EXPECT_EQ(error_of(VerificationKey::from_okp(Curve::kEd25519, ByteVector(31))), KeyError::kBad);
    EXPECT_EQ(error_of(VerificationKey::from_okp(Curve::kEd448, ByteVector(32))), KeyError::kBad);
    EXPECT_EQ(error_of(VerificationKey::from_okp(Curve::kEd25519, ByteVector(32))),
              KeyError::kWeak);
    EXPECT_EQ(error_of(VerificationKey::from_okp(Curve::kEd448, ByteVector(57))), KeyError::kWeak);
    ByteVector off_curve(32);
    off_curve[0] = 2;
    EXPECT_EQ(error_of(VerificationKey::from_okp(Curve::kEd25519, off_curve)), KeyError::kBad);
}

// Every key against every algorithm: only its own verify, and only the signature of that algorithm.
TEST(VerificationKey, VerifiesOnlyWithTheAlgorithmThatSigned) {
    for (const char* pem :
         {kRsaPrivate, kP256Private, kP384Private, kP521Private, kEd25519Private, kEd448Private}) {
        const auto key = signer(pem);
        const auto& verifier = *key->verification_key();
        for (std::size_t s = 0; s < kAlgCount; ++s) {
            const auto signed_with = static_cast<Alg>(s);
            const auto signature = key->sign(signed_with, kMessage);
            ASSERT_EQ(signature.has_value(), key->algs().contains(signed_with));
            if (!signature) continue;
            for (std::size_t v = 0; v < kAlgCount; ++v) {
                EXPECT_EQ(verifier.verify(static_cast<Alg>(v), kMessage, *signature), v == s)
                    << info(signed_with).name << " as " << info(static_cast<Alg>(v)).name;
            }
        }
    }
}

TEST(VerificationKey, RefusesEveryFlippedBitAndOtherLength) {
    for (const char* pem : {kRsaPrivate, kP256Private, kEd25519Private}) {
        const auto key = signer(pem);
        const auto& verifier = *key->verification_key();
        for (std::size_t a = 0; a < kAlgCount; ++a) {
            const auto alg = static_cast<Alg>(a);
            auto signature = key->sign(alg, kMessage);
            if (!signature) continue;
            for (std::size_t bit = 0; bit < signature->size() * 8; bit += 7) {
                (*signature)[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
                EXPECT_FALSE(verifier.verify(alg, kMessage, *signature)) << bit;
                (*signature)[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
            }
            EXPECT_TRUE(verifier.verify(alg, kMessage, *signature));
            signature->push_back(0);
            EXPECT_FALSE(verifier.verify(alg, kMessage, *signature));
            signature->pop_back();
            signature->pop_back();
            EXPECT_FALSE(verifier.verify(alg, kMessage, *signature));
            EXPECT_FALSE(verifier.verify(alg, kMessage, {}));
        }
    }
}

TEST(VerificationKey, LeavesNoErrorBehind) {
    const auto key = signer(kRsaPrivate);
    EXPECT_FALSE(key->verification_key()->verify(Alg::kRS256, kMessage, ByteVector(256, 0xff)));
    EXPECT_FALSE(
        VerificationKey::from_pem("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"));
    EXPECT_FALSE(SigningKey::from_pem("nothing"));
    EXPECT_FALSE(VerificationKey::from_ec(Curve::kP256, ByteVector(32), ByteVector(32)));
    EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST(VerificationKey, KnowsItsSize) {
    const auto bits = [](const char* pem) { return signer(pem)->verification_key()->bits(); };
    EXPECT_EQ(bits(kRsaPrivate), 2048u);
    EXPECT_EQ(bits(kP256Private), 256u);
    EXPECT_EQ(bits(kP384Private), 384u);
    EXPECT_EQ(bits(kP521Private), 521u);
    const auto ed448 = signer(kEd448Private)->verification_key();
    EXPECT_EQ(ed448->family(), Family::kOkp);
    EXPECT_EQ(ed448->curve(), Curve::kEd448);
}

}  // namespace
}  // namespace gate::crypto
