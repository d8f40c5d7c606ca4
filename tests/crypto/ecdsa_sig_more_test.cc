// The DER header where its short form ends and the long one begins.
#include <gtest/gtest.h>

#include "crypto/ecdsa_sig.h"

namespace {

using namespace gate;
using crypto::Curve;

// R of `octets` octets and S of 66, all below the order of P-521.
ByteVector signature(std::size_t octets) {
    ByteVector out(132, 0);
    std::fill(out.begin() + static_cast<std::ptrdiff_t>(66 - octets), out.begin() + 66,
              std::uint8_t{1});
    std::fill(out.begin() + 66, out.end(), std::uint8_t{1});
    return out;
}

TEST(DerFromJws, UsesTheShortHeaderUpTo127Octets) {
    for (const std::size_t octets : {56u, 57u, 58u, 59u}) {
        const std::size_t content = 2 + octets + 2 + 66;
        const auto der = crypto::der_from_jws(Curve::kP521, signature(octets));
        ASSERT_TRUE(der);
        const Bytes bytes = der->bytes();
        EXPECT_EQ(bytes[0], 0x30);
        if (content <= 127) {
            EXPECT_EQ(bytes[1], content);
            EXPECT_EQ(bytes.size(), content + 2);
        } else {
            EXPECT_EQ(bytes[1], 0x81);
            EXPECT_EQ(bytes[2], content);
            EXPECT_EQ(bytes.size(), content + 3);
        }
        EXPECT_EQ(crypto::jws_from_der(Curve::kP521, bytes), signature(octets));
    }
}

}  // namespace
