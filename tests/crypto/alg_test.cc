#include "crypto/alg.h"

#include <gtest/gtest.h>

namespace gate::crypto {
namespace {

TEST(FindAlg, KnowsThirteenNamesAndNoSpellingOfThem) {
    std::size_t known = 0;
    for (const char* name : {"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384",
                             "PS512", "ES256", "ES384", "ES512", "EdDSA"}) {
        const auto alg = find_alg(name);
        ASSERT_TRUE(alg) << name;
        EXPECT_EQ(info(*alg).name, name);
        EXPECT_EQ(info(*alg).alg, *alg);
        ++known;
    }
    EXPECT_EQ(known, kAlgCount);
    for (std::string_view name :
         {"", "none", "None", "rs256", "Rs256", "RS256 ", " RS256", "RS25", "RS2567", "RS1",
          "ES256K", "EDDSA", "eddsa", "HS1", "ES521", "Ed25519"}) {
        EXPECT_FALSE(find_alg(name)) << name;
    }
    EXPECT_FALSE(find_alg(std::string_view("RS256\0", 6)));
}

TEST(AlgInfo, GivesSizesOfRfc7518) {
    EXPECT_EQ(info(Alg::kES256).signature_size, 64u);
    EXPECT_EQ(info(Alg::kES384).signature_size, 96u);
    EXPECT_EQ(info(Alg::kES512).signature_size, 132u);
    EXPECT_EQ(info(Alg::kHS384).min_secret, 48u);
    EXPECT_EQ(info(Alg::kHS512).signature_size, 64u);
    EXPECT_TRUE(info(Alg::kPS512).pss);
    EXPECT_FALSE(info(Alg::kRS512).pss);
}

TEST(FindCurve, IsExactAndNamesItBack) {
    for (const char* name : {"P-256", "P-384", "P-521", "Ed25519", "Ed448"}) {
        const auto curve = find_curve(name);
        ASSERT_TRUE(curve) << name;
        EXPECT_EQ(name_of(*curve), name);
    }
    for (const char* name : {"", "p-256", "P-256 ", "secp256k1", "X25519", "ed25519", "P256"}) {
        EXPECT_FALSE(find_curve(name)) << name;
    }
    EXPECT_EQ(name_of(Curve::kNone), "");
}

TEST(FamilyName, IsThatOfKty) {
    EXPECT_EQ(name_of(Family::kOct), "oct");
    EXPECT_EQ(name_of(Family::kRsa), "RSA");
    EXPECT_EQ(name_of(Family::kEc), "EC");
    EXPECT_EQ(name_of(Family::kOkp), "OKP");
    EXPECT_EQ(name_of(static_cast<Family>(9)), "");
}

TEST(AlgSet, HoldsWhatWasInserted) {
    AlgSet set{Alg::kES256, Alg::kRS256};
    EXPECT_EQ(set.names(), "RS256 ES256");
    EXPECT_TRUE(set.contains(Alg::kES256));
    EXPECT_FALSE(set.contains(Alg::kHS256));
    EXPECT_EQ((set & AlgSet{Alg::kES256}).names(), "ES256");
    EXPECT_EQ((set | AlgSet{Alg::kEdDSA}).names(), "RS256 ES256 EdDSA");
    EXPECT_TRUE((set & kHmacAlgs).empty());
    EXPECT_EQ(AlgSet().names(), "");
    for (std::size_t i = 0; i < kAlgCount; ++i) {
        EXPECT_TRUE(AlgSet::all().contains(static_cast<Alg>(i)));
    }
}

}  // namespace
}  // namespace gate::crypto
