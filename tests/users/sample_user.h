// What the users that hold every member have in common, however they are written.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "users/user.h"

namespace gate::users {

// openssl passwd -6 -salt saltstring 'Hello world!', a vector of Drepper's sha-crypt.txt, too.
inline const std::string kPassword = "Hello world!";
inline const std::string kHash =
    "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoE"
    "OfaS35inz1";

inline void expect_sample(const User& user) {
    EXPECT_EQ(user.name, "j\u00fcrgen");
    EXPECT_EQ(user.password, kHash);
    EXPECT_EQ(user.roles, (std::vector<std::string>{"admin"}));
    EXPECT_EQ(user.scopes, (std::vector<std::string>{"a:*", "b"}));
    EXPECT_EQ(user.groups, (std::vector<std::string>{"g", "h"}));
    EXPECT_EQ(user.email, "j@example.org");
    EXPECT_EQ(user.status, UserStatus::kDisabled);
    EXPECT_EQ(user.created, 1767323045);
    EXPECT_EQ(user.labels.root().member("plan").string(), "gold");
}

}  // namespace gate::users
