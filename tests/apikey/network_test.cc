#include <gtest/gtest.h>

#include "apikey/record.h"

namespace gate::apikey {
namespace {

using Address = std::vector<std::uint8_t>;

bool contains(std::string_view network, const Address& address) {
    const auto parsed = Network::parse(network);
    EXPECT_TRUE(parsed) << network;
    return parsed && parsed->contains(address);
}

Address v6(std::initializer_list<std::uint8_t> head, std::uint8_t last) {
    Address address(16, 0);
    std::copy(head.begin(), head.end(), address.begin());
    address.back() = last;
    return address;
}

TEST(Network, ContainsIpv4AddressesOfItsPrefix) {
    EXPECT_TRUE(contains("192.0.2.0/24", {192, 0, 2, 0}));
    EXPECT_TRUE(contains("192.0.2.0/24", {192, 0, 2, 255}));
    EXPECT_FALSE(contains("192.0.2.0/24", {192, 0, 3, 0}));
    EXPECT_FALSE(contains("192.0.2.0/24", {192, 0, 1, 255}));
    EXPECT_TRUE(contains("192.0.2.128/25", {192, 0, 2, 128}));
    EXPECT_FALSE(contains("192.0.2.128/25", {192, 0, 2, 127}));
    EXPECT_TRUE(contains("10.0.0.1", {10, 0, 0, 1}));
    EXPECT_FALSE(contains("10.0.0.1", {10, 0, 0, 0}));
    EXPECT_TRUE(contains("10.0.0.2/31", {10, 0, 0, 3}));
    EXPECT_FALSE(contains("10.0.0.2/31", {10, 0, 0, 1}));
    EXPECT_TRUE(contains("0.0.0.0/0", {255, 1, 2, 3}));
}

TEST(Network, ContainsIpv6AddressesOfItsPrefix) {
    EXPECT_TRUE(contains("2001:db8::/32", v6({0x20, 0x01, 0x0d, 0xb8}, 9)));
    EXPECT_FALSE(contains("2001:db8::/32", v6({0x20, 0x01, 0x0d, 0xb9}, 9)));
    EXPECT_TRUE(contains("::1", v6({}, 1)));
    EXPECT_FALSE(contains("::1", v6({}, 0)));
    EXPECT_TRUE(contains("::/127", v6({}, 1)));
    EXPECT_FALSE(contains("::/127", v6({}, 2)));
    EXPECT_FALSE(contains("0.0.0.0/0", v6({0x20}, 1)));
}

TEST(Network, TreatsMappedAddressesAsIpv4) {
    const Address mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 7};
    EXPECT_TRUE(contains("192.0.2.0/24", mapped));
    EXPECT_TRUE(contains("::ffff:192.0.2.0/120", {192, 0, 2, 7}));
    EXPECT_FALSE(contains("198.51.100.0/24", mapped));
    EXPECT_TRUE(contains("::/0", {192, 0, 2, 7}));
}

TEST(Network, ContainsNothingOfAnotherSize) {
    for (std::size_t size : {0u, 1u, 3u, 5u, 15u, 17u})
        EXPECT_FALSE(contains("::/0", Address(size, 0)));
}

TEST(Network, RefusesWhatIsNoNetwork) {
    for (std::string_view text : {"",
                                  "/",
                                  "/8",
                                  "10.0.0.0/",
                                  "10.0.0.0/33",
                                  "10.0.0.0/-1",
                                  "10.0.0.0/+8",
                                  "10.0.0.0/08",
                                  "10.0.0.0/8 ",
                                  "10.0.0/8",
                                  "10.0.0.0.0",
                                  "::/129",
                                  "2001:db8::/32/32",
                                  "localhost",
                                  "10.0.0.1/8",
                                  "2001:db8::1/32",
                                  "10.0.0.0/8x",
                                  " 10.0.0.1",
                                  "256.0.0.1",
                                  "10.0.0.0/31x",
                                  "10.0.0.1/31",
                                  "::1/127",
                                  "1.2.3.4/0"}) {
        EXPECT_FALSE(Network::parse(text)) << text;
    }
    EXPECT_FALSE(Network::parse(std::string_view("10.0.0.0\0", 9)));
    EXPECT_TRUE(Network::parse("10.0.0.0/32"));
    EXPECT_TRUE(Network::parse("::/128"));
    EXPECT_TRUE(Network::parse("0.0.0.0/0"));
}

TEST(Network, WritesItsText) {
    const std::pair<std::string_view, std::string_view> texts[] = {
        {"192.0.2.0/24", "192.0.2.0/24"},
        {"10.0.0.1", "10.0.0.1/32"},
        {"0.0.0.0/0", "0.0.0.0/0"},
        {"2001:DB8::/32", "2001:db8::/32"},
        {"::1", "::1/128"},
        {"::/0", "::/0"},
        {"::ffff:10.0.0.0/104", "10.0.0.0/8"},
        {"::fffe:0:0/95", "::fffe:0:0/95"}};
    for (const auto& [in, out] : texts) {
        const auto network = Network::parse(in);
        ASSERT_TRUE(network) << in;
        EXPECT_EQ(network->text(), out);
        const auto again = Network::parse(network->text());
        ASSERT_TRUE(again);
        EXPECT_EQ(again->address, network->address);
        EXPECT_EQ(again->prefix_length, network->prefix_length);
    }
}

}  // namespace
}  // namespace gate::apikey
