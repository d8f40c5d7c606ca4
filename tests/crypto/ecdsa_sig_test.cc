#include "crypto/ecdsa_sig.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace gate::crypto {
namespace {

// As `openssl ecparam -param_enc explicit -text` prints them.
const std::map<Curve, std::string> kOrders{
    {Curve::kP256, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"},
    {Curve::kP384,
     "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77a"
     "ecec196accc52973"},
    {Curve::kP521,
     "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f"
     "966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409"},
};

// R||S with both as hexadecimal, padded on the left.
ByteVector signature(Curve curve, std::string r, std::string s) {
    const std::size_t digits = 2 * coordinate_size(curve);
    r.insert(0, digits - r.size(), '0');
    s.insert(0, digits - s.size(), '0');
    return *from_hex(r + s);
}

std::string minus_one(std::string hex) {
    hex.back() = static_cast<char>(hex.back() - 1);
    return hex;
}

TEST(DerFromJws, DropsLeadingZerosAndAddsASignOctet) {
    const auto der = der_from_jws(Curve::kP256, signature(Curve::kP256, "01", "80"));
    ASSERT_TRUE(der);
    EXPECT_EQ(to_hex(der->bytes()), "300702010102020080");
}

TEST(DerFromJws, UsesTheLongFormBeyond127Octets) {
    const std::string wide = minus_one(kOrders.at(Curve::kP521));
    const auto der = der_from_jws(Curve::kP521, signature(Curve::kP521, wide, wide));
    ASSERT_TRUE(der);
    EXPECT_EQ(der->bytes()[0], 0x30);
    EXPECT_EQ(der->bytes()[1], 0x81);
    EXPECT_EQ(der->bytes()[2], 136);
    EXPECT_EQ(der->size, 139u);
    EXPECT_EQ(jws_from_der(Curve::kP521, der->bytes()), signature(Curve::kP521, wide, wide));
}

TEST(DerFromJws, RefusesROrSOutsideOneToOrderMinusOne) {
    for (const auto& [curve, order] : kOrders) {
        const std::string last = minus_one(order);
        EXPECT_TRUE(der_from_jws(curve, signature(curve, "01", "01")));
        EXPECT_TRUE(der_from_jws(curve, signature(curve, last, last)));
        for (const std::string& bad : {std::string("00"), order, std::string(order.size(), 'f')}) {
            EXPECT_FALSE(der_from_jws(curve, signature(curve, bad, "01"))) << bad;
            EXPECT_FALSE(der_from_jws(curve, signature(curve, "01", bad))) << bad;
        }
    }
}

TEST(DerFromJws, RefusesEveryOtherLength) {
    for (const auto& [curve, order] : kOrders) {
        const std::size_t size = 2 * coordinate_size(curve);
        for (std::size_t length :
             {std::size_t{0}, size - 1, size + 1, 2 * size, std::size_t{32768}}) {
            EXPECT_FALSE(der_from_jws(curve, ByteVector(length, 1))) << length;
        }
    }
    EXPECT_FALSE(der_from_jws(Curve::kEd25519, ByteVector(64, 1)));
    EXPECT_FALSE(der_from_jws(Curve::kNone, {}));
}

TEST(JwsFromDer, RefusesWhatIsNoSignatureOfTheCurve) {
    const auto der =
        der_from_jws(Curve::kP384, signature(Curve::kP384, "01", std::string(95, '7')));
    ASSERT_TRUE(der);
    EXPECT_TRUE(jws_from_der(Curve::kP384, der->bytes()));
    EXPECT_FALSE(jws_from_der(Curve::kP256, der->bytes()));
    EXPECT_FALSE(jws_from_der(Curve::kEd25519, der->bytes()));
    EXPECT_FALSE(jws_from_der(Curve::kP384, der->bytes().first(der->size - 1)));
    ByteVector longer(der->bytes().begin(), der->bytes().end());
    longer.push_back(0);
    EXPECT_FALSE(jws_from_der(Curve::kP384, longer));
    EXPECT_FALSE(jws_from_der(Curve::kP384, {}));
}

}  // namespace
}  // namespace gate::crypto
