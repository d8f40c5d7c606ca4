#include "redis/eviction.h"

#include <gtest/gtest.h>

namespace gate::redis {
namespace {

TEST(ReadEvictionPolicy, FindsPolicyAndBoundAmongOtherLines) {
    const auto policy = read_eviction_policy(
        "# Memory\r\nused_memory:1\r\nmaxmemory:104857600\r\nmaxmemory_human:100.00M\r\n"
        "maxmemory_policy:allkeys-lru\r\nmem_allocator:jemalloc\r\n");
    ASSERT_TRUE(policy);
    EXPECT_EQ(policy->name, "allkeys-lru");
    EXPECT_TRUE(policy->bounded);
    EXPECT_FALSE(read_eviction_policy("maxmemory:0\r\nmaxmemory_policy:noeviction")->bounded);
}

TEST(ReadEvictionPolicy, TakesABoundThatIsNotToldForOne) {
    EXPECT_TRUE(read_eviction_policy("maxmemory_policy:allkeys-lru\n")->bounded);
}

TEST(ReadEvictionPolicy, SaysNothingWhereNothingIsTold) {
    for (const char* info : {"", "\r\n", "maxmemory_policy", "maxmemory_policy:\r\n",
                             "# Server\r\nredis_version:7.0.15\r\n", "xmaxmemory_policy:a"}) {
        EXPECT_FALSE(read_eviction_policy(info)) << info;
    }
}

TEST(EvictionRisk, IsAnyForWhatIsNotKnown) {
    EXPECT_EQ(eviction_risk({"noeviction", true}), EvictionRisk::kNone);
    EXPECT_EQ(eviction_risk({"volatile-ttl", true}), EvictionRisk::kExpiring);
    EXPECT_EQ(eviction_risk({"allkeys-random", true}), EvictionRisk::kAny);
    EXPECT_EQ(eviction_risk({"later", false}), EvictionRisk::kAny);
}

TEST(EvictionProblem, SaysWhatIsDroppedAndWhen) {
    EXPECT_EQ(eviction_problem({"noeviction", true}), "");
    EXPECT_EQ(eviction_problem({"allkeys-lru", true}),
              "maxmemory-policy is allkeys-lru: Redis drops keys and revocations when its memory "
              "is full; set noeviction");
    EXPECT_EQ(eviction_problem({"volatile-lru", false}),
              "maxmemory-policy is volatile-lru: Redis drops what has an expiry, such as ids that "
              "gate_revocation_lookup asks for, as soon as maxmemory is set; set noeviction");
}

}  // namespace
}  // namespace gate::redis
