#include <gtest/gtest.h>

#include <string>

#include "crypto/public_key.h"
#include "crypto/sign.h"
#include "tests/support/pem_fixtures.h"

namespace gate::crypto {
namespace {

KeyFault fault_of(std::string_view pem) {
    const auto key = VerificationKey::from_pem(pem);
    EXPECT_FALSE(key);
    return key ? KeyFault{KeyError::kBad, ""} : key.error();
}

TEST(Pem, LoadsEveryPublicFormOfOneKey) {
    const Bytes message = bytes_of("m");
    const auto rsa = SigningKey::from_pem(test::kRsaPrivate);
    const auto rsa_signature = (*rsa)->sign(Alg::kRS256, message);
    for (const char* pem : {test::kRsaPublic, test::kRsaPublicPkcs1, test::kRsaCertificate}) {
        const auto key = VerificationKey::from_pem(pem);
        ASSERT_TRUE(key);
        EXPECT_EQ((*key)->family(), Family::kRsa);
        EXPECT_TRUE((*key)->verify(Alg::kRS256, message, *rsa_signature));
    }
    const auto ec = SigningKey::from_pem(test::kP256Private);
    const auto ec_signature = (*ec)->sign(Alg::kES256, message);
    for (const char* pem : {test::kP256Public, test::kP256PublicCompressed}) {
        const auto key = VerificationKey::from_pem(pem);
        ASSERT_TRUE(key);
        EXPECT_TRUE((*key)->verify(Alg::kES256, message, *ec_signature));
    }
}

TEST(Pem, LoadsEveryCurve) {
    const auto algs_of = [](const char* pem) {
        const auto key = VerificationKey::from_pem(pem);
        return key ? (*key)->algs().names() : "";
    };
    EXPECT_EQ(algs_of(test::kP256Public), "ES256");
    EXPECT_EQ(algs_of(test::kP384Public), "ES384");
    EXPECT_EQ(algs_of(test::kP521Public), "ES512");
    EXPECT_EQ(algs_of(test::kEd25519Public), "EdDSA");
    EXPECT_EQ(algs_of(test::kEd448Public), "EdDSA");
}

TEST(Pem, RefusesKeysThatNoAlgorithmUses) {
    EXPECT_EQ(fault_of(test::kSecp256k1Public).error, KeyError::kUnsupported);
    EXPECT_EQ(fault_of(test::kX25519Public).error, KeyError::kUnsupported);
    EXPECT_EQ(fault_of(test::kRsa1024Public).error, KeyError::kWeak);
}

TEST(Pem, RefusesPrivateKeys) {
    for (const char* pem :
         {test::kRsaPrivate, test::kRsaPrivatePkcs1, test::kP256Private, test::kP256PrivateSec1,
          test::kP256PrivateEncrypted, test::kEd25519Private}) {
        const KeyFault fault = fault_of(pem);
        EXPECT_EQ(fault.error, KeyError::kBad);
        EXPECT_NE(fault.detail.find("private key"), std::string::npos);
    }
}

TEST(Pem, RefusesWhatIsNotExactlyOneBlock) {
    EXPECT_EQ(fault_of("").detail, "no PEM block");
    EXPECT_EQ(fault_of("ssh-ed25519 AAAA").detail, "no PEM block");
    EXPECT_EQ(fault_of(std::string(test::kP256Public) + test::kP384Public).detail,
              "more than one PEM block");
    const std::string cut(test::kP256Public, 100);
    EXPECT_EQ(fault_of(cut).detail, "no PEM block");
    EXPECT_EQ(fault_of("-----BEGIN X-----\nAAAA\n-----END X-----\n").error, KeyError::kBad);
    EXPECT_EQ(fault_of("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").detail,
              "the PEM block holds no public key");
    EXPECT_EQ(
        fault_of("-----BEGIN RSA PUBLIC KEY-----\nAAAA\n-----END RSA PUBLIC KEY-----\n").detail,
        "the PEM block holds no public key");
}

TEST(Pem, AllowsTextAroundTheBlock) {
    EXPECT_TRUE(VerificationKey::from_pem(std::string("a comment\n") + test::kP256Public + "\n\n"));
}

}  // namespace
}  // namespace gate::crypto
