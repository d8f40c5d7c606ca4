#include "base/siphash.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <set>

namespace gate {
namespace {

SipKey counting_key() {
    SipKey key;
    for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i);
    return key;
}

ByteVector counting(std::size_t size) {
    ByteVector octets(size);
    for (std::size_t i = 0; i < size; ++i) octets[i] = static_cast<std::uint8_t>(i);
    return octets;
}

// From vectors.h of the reference implementation (vectors_sip128): messages 00 01 02 .. of n
// octets.
TEST(Siphash128, MatchesTheReferenceVectors) {
    EXPECT_EQ(to_hex(siphash128(counting_key(), counting(0))), "a3817f04ba25a8e66df67214c7550293");
    EXPECT_EQ(to_hex(siphash128(counting_key(), counting(1))), "da87c1d86b99af44347659119b22fc45");
    EXPECT_EQ(to_hex(siphash128(counting_key(), counting(15))), "5493e99933b0a8117e08ec0f97cfc3d9");
    EXPECT_EQ(to_hex(siphash128(counting_key(), counting(63))), "5150d1772f50834a503e069a973fbd7c");
}

TEST(Siphash128, AgreesWithOpenssl) {
    const SipKey key = counting_key();
    for (std::size_t size = 0; size < 300; ++size) {
        const ByteVector message = counting(size);
        SipDigest expected{};
        std::size_t length = 0;
        ASSERT_NE(
            EVP_Q_mac(nullptr, "SIPHASH", nullptr, nullptr, nullptr, key.data(), key.size(),
                      message.data(), message.size(), expected.data(), expected.size(), &length),
            nullptr);
        EXPECT_EQ(to_hex(siphash128(key, message)), to_hex(expected)) << size;
    }
}

TEST(Siphash128, DependsOnKeyLengthAndEveryOctet) {
    std::set<SipDigest> seen;
    for (std::size_t size = 0; size < 64; ++size)
        seen.insert(siphash128(counting_key(), counting(size)));
    ByteVector zeros(20);
    for (std::size_t i = 0; i < zeros.size(); ++i) {
        zeros[i] = 1;
        seen.insert(siphash128(counting_key(), zeros));
        zeros[i] = 0;
    }
    seen.insert(siphash128(SipKey{}, counting(0)));
    EXPECT_EQ(seen.size(), 64u + 20u + 1u);
}

}  // namespace
}  // namespace gate
