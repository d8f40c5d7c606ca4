#include "redis/endpoint.h"

#include <gtest/gtest.h>

namespace gate::redis {
namespace {

constexpr std::uint16_t kDefault = 6379;

std::string text_of(std::string_view text) {
    const auto endpoint = Endpoint::parse(text, kDefault);
    return endpoint ? endpoint->text() : "error: " + endpoint.error();
}

TEST(Endpoint, IsHostAndPort) {
    const auto endpoint = Endpoint::parse("redis.example.com:6380", kDefault);
    ASSERT_TRUE(endpoint);
    EXPECT_EQ(*endpoint, (Endpoint{"redis.example.com", 6380, ""}));
    EXPECT_EQ(endpoint->text(), "redis.example.com:6380");
    EXPECT_EQ(text_of("127.0.0.1:1"), "127.0.0.1:1");
    EXPECT_EQ(text_of("my_host-1.:65535"), "my_host-1.:65535");
}

TEST(Endpoint, TakesTheDefaultPort) {
    EXPECT_EQ(text_of("localhost"), "localhost:6379");
    EXPECT_EQ(text_of("[::1]"), "[::1]:6379");
}

TEST(Endpoint, HasIPv6AddressesInBrackets) {
    const auto endpoint = Endpoint::parse("[2001:db8::1]:7000", kDefault);
    ASSERT_TRUE(endpoint);
    EXPECT_EQ(*endpoint, (Endpoint{"2001:db8::1", 7000, ""}));
    EXPECT_EQ(endpoint->text(), "[2001:db8::1]:7000");
    EXPECT_EQ(text_of("[::ffff:192.0.2.1]"), "[::ffff:192.0.2.1]:6379");
    EXPECT_EQ(text_of("2001:db8::1"), "error: an IPv6 address stands in brackets: \"[::1]:6379\"");
    EXPECT_EQ(text_of("::1:6379"), "error: an IPv6 address stands in brackets: \"[::1]:6379\"");
    EXPECT_EQ(text_of("[::1"), "error: ']' is missing behind the address");
    EXPECT_EQ(text_of("[::1]6379"), "error: behind ']' comes \":port\" only");
    EXPECT_EQ(text_of("[localhost]:1"), "error: \"localhost\" is no IPv6 address");
    EXPECT_EQ(text_of("[127.0.0.1]:1"), "error: \"127.0.0.1\" is no IPv6 address");
    EXPECT_EQ(text_of("[]:1"), "error: \"\" is no IPv6 address");
    EXPECT_EQ(text_of("[:::1]:1"), "error: \":::1\" is no IPv6 address");
    EXPECT_EQ(text_of(std::string_view("[::1\0]:1", 9)), "error: \"::1\\x00\" is no IPv6 address");
}

TEST(Endpoint, MayBeASocket) {
    const auto endpoint = Endpoint::parse("unix:/run/redis/redis.sock", kDefault);
    ASSERT_TRUE(endpoint);
    EXPECT_EQ(*endpoint, (Endpoint{"", 0, "/run/redis/redis.sock"}));
    EXPECT_EQ(endpoint->text(), "unix:/run/redis/redis.sock");
    const std::string longest = "unix:/" + std::string(106, 'x');
    EXPECT_EQ(text_of(longest), longest);
    EXPECT_EQ(text_of(longest + "x"), "error: the path of a socket has at most 107 octets");
    for (const char* bad : {"unix:", "unix:run/redis.sock", "unix::/x"}) {
        EXPECT_EQ(text_of(bad),
                  "error: behind \"unix:\" comes the path of a socket, beginning with '/'");
    }
    EXPECT_EQ(text_of("unix:/a\nb"), "error: the path of a socket holds a control character");
    EXPECT_EQ(text_of(std::string_view("unix:/a\0b", 9)),
              "error: the path of a socket holds a control character");
}

TEST(Endpoint, HasAPortFrom1To65535) {
    for (const char* port : {"", "0", "65536", "70000", "99999999999999999999", "-1", "+1", "06379",
                             " 1", "1 ", "1a", "0x1"}) {
        const std::string problem =
            "error: port \"" + std::string(port) + "\" is not a number from 1 to 65535";
        EXPECT_EQ(text_of(std::string("h:") + port), problem);
        EXPECT_EQ(text_of(std::string("[::1]:") + port), problem);
    }
    EXPECT_EQ(text_of("h:\n"), "error: port \"\\x0a\" is not a number from 1 to 65535");
    EXPECT_EQ(text_of("h:1:2"), "error: an IPv6 address stands in brackets: \"[::1]:6379\"");
}

TEST(Endpoint, NeedsAHost) {
    EXPECT_EQ(text_of(""), "error: \"\" is no name or address of a host");
    EXPECT_EQ(text_of(":6379"), "error: \"\" is no name or address of a host");
    EXPECT_EQ(text_of("a b:1"), "error: \"a b\" is no name or address of a host");
    for (const char* bad :
         {"a/b", "a@b", "?", "a\\b", "a]", "h\xc3\xa9", "a,b", "redis//x", "a%b"}) {
        EXPECT_TRUE(text_of(bad).ends_with("is no name or address of a host")) << bad;
    }
    EXPECT_EQ(text_of(std::string(253, 'h')), std::string(253, 'h') + ":6379");
    EXPECT_TRUE(text_of(std::string(254, 'h')).starts_with("error"));
}

TEST(Endpoint, ReadsWhatItWrites) {
    for (const char* text : {"a:1", "[::]:65535", "unix:/a b", "unix:/:1", "1.2.3.4:5"}) {
        const auto endpoint = Endpoint::parse(text, kDefault);
        ASSERT_TRUE(endpoint) << text;
        EXPECT_EQ(endpoint->text(), text);
        EXPECT_EQ(*Endpoint::parse(endpoint->text(), 1), *endpoint);
    }
    EXPECT_NE(*Endpoint::parse("a:1", 1), *Endpoint::parse("a:2", 1));
    EXPECT_NE(*Endpoint::parse("a:1", 1), *Endpoint::parse("b:1", 1));
    EXPECT_NE(*Endpoint::parse("unix:/a", 1), *Endpoint::parse("unix:/b", 1));
}

TEST(Endpoint, HasANameUnlessItsAddressIsWrittenOrItsOwnMachine) {
    for (const char* text : {"redis.example:6379", "node-1", "1.2.3", "127.0.0.1.example"}) {
        EXPECT_TRUE(Endpoint::parse(text, 1)->has_name()) << text;
    }
    for (const char* text :
         {"127.0.0.1", "[::1]:1", "unix:/run/redis.sock", "localhost", "LOCALHOST:6379"}) {
        EXPECT_FALSE(Endpoint::parse(text, 1)->has_name()) << text;
    }
}

TEST(IsHost, TakesAddressesWithoutBrackets) {
    for (const char* good : {"::1", "2001:db8::1", "fe80::1", "127.0.0.1", "node-1", "a_b"}) {
        EXPECT_TRUE(is_host(good)) << good;
    }
    for (const char* bad : {"", "[::1]", "a:1", "::g", "fe80::1%eth0", "a b", "?"}) {
        EXPECT_FALSE(is_host(bad)) << bad;
    }
}

}  // namespace
}  // namespace gate::redis
