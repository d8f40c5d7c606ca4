#include "redis/store_keys.h"

#include <gtest/gtest.h>

namespace gate::redis {
namespace {

TEST(StoreKeys, AllHaveThePrefix) {
    const StoreKeys keys("{gate}:");
    EXPECT_EQ(keys.prefix(), "{gate}:");
    EXPECT_EQ(keys.epoch(), "{gate}:epoch");
    EXPECT_EQ(keys.key("00ff"), "{gate}:key:00ff");
    EXPECT_EQ(keys.key_id("k1"), "{gate}:keyid:k1");
    EXPECT_EQ(keys.keys(), "{gate}:keys");
    EXPECT_EQ(keys.used(), "{gate}:used");
    EXPECT_EQ(keys.revoked(), "{gate}:rev");
    EXPECT_EQ(keys.spent("00ff"), "{gate}:spent:00ff");
    EXPECT_EQ(keys.log(), "{gate}:log");
}

TEST(PrefixProblem, IsNoneForPrintableAscii) {
    for (const std::string& prefix : {std::string(), std::string("gate:"), std::string("!~{}"),
                                      std::string("{"), std::string(128, 'x')}) {
        EXPECT_EQ(prefix_problem(prefix, false), "") << prefix;
    }
}

TEST(PrefixProblem, IsABlankOrAnotherOctet) {
    for (const std::string_view prefix :
         {std::string_view(" "), std::string_view("a b"), std::string_view("a\n"),
          std::string_view("\x7f"), std::string_view("\xc3\xa9"), std::string_view("a\0", 2)}) {
        EXPECT_EQ(prefix_problem(prefix, false),
                  "a prefix holds printable ASCII without blanks only");
    }
}

TEST(PrefixProblem, IsItsLength) {
    EXPECT_EQ(prefix_problem(std::string(129, 'x'), false), "a prefix has at most 128 octets");
}

TEST(PrefixProblem, IsAMissingHashTagInACluster) {
    for (const char* good : {"{gate}:", "{a}", "x{a}y", "}{a}", "{{}", "{a}{}", "{ab}c}"}) {
        EXPECT_EQ(prefix_problem(good, true), "") << good;
    }
    for (const char* bad : {"", "gate:", "{", "{gate", "gate}", "{}", "{}{a}", "}{"}) {
        EXPECT_EQ(prefix_problem(bad, true),
                  "in a cluster a prefix needs a hash tag such as \"{gate}:\", so that all keys of "
                  "the store lie in one slot")
            << bad;
    }
}

}  // namespace
}  // namespace gate::redis
