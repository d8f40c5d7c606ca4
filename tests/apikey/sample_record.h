// What the records that hold every member have in common, however they are written.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "apikey/record.h"

namespace gate::apikey {

inline const std::string kDigest =
    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

inline void expect_sample(const Record& record) {
    EXPECT_EQ(record.id, "k1");
    EXPECT_EQ(record.digest, kDigest);
    EXPECT_EQ(record.owner, "team-a");
    EXPECT_EQ(record.scopes, (std::vector<std::string>{"a:*", "b"}));
    EXPECT_EQ(record.roles, (std::vector<std::string>{"r"}));
    EXPECT_EQ(record.groups, (std::vector<std::string>{"g", "h"}));
    EXPECT_EQ(record.status, KeyStatus::kSuspended);
    EXPECT_EQ(record.created, 1767323045);
    EXPECT_EQ(record.rate, "100r/m");
    EXPECT_EQ(record.burst, 7);
    EXPECT_EQ(record.labels.root().member("plan").string(), "gold");
}

}  // namespace gate::apikey
