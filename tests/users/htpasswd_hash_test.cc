#include "users/htpasswd_hash.h"

#include <gtest/gtest.h>

#include <string>

namespace gate::users {
namespace {

TEST(HtpasswdHash, KnowsTheVectorsOfApache) {
    // httpd's "Password Formats".
    EXPECT_TRUE(matches_htpasswd_hash("$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/", "myPassword"));
    EXPECT_TRUE(matches_htpasswd_hash("{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=", "myPassword"));
}

TEST(HtpasswdHash, AgreesWithOpenssl) {
    // openssl passwd -apr1 -salt ..
    EXPECT_TRUE(matches_htpasswd_hash("$apr1$saltsalt$6BwcdpRros16.J9J/tHRr/", "Hello world!"));
    EXPECT_TRUE(matches_htpasswd_hash("$apr1$x$ya00XvwA0viq10Nb5bv6L.", "p"));
    EXPECT_TRUE(
        matches_htpasswd_hash("$apr1$ab$Bn0o0wkuSlzoRibafNrVM0",
                              "a much longer password, of more than two blocks of MD5 ........."));
    // openssl dgst -sha1 -binary | base64, with the salt behind password and digest
    EXPECT_TRUE(matches_htpasswd_hash("{SHA}00hq6RNueFa8QiEjhep5cJRHWAI=", "Hello world!"));
    EXPECT_TRUE(matches_htpasswd_hash("{SSHA}M8XN+MyCuGNn0qVHAt++nhI4sBNzYWx0", "Hello world!"));
}

TEST(HtpasswdHash, RefusesOtherPasswords) {
    for (const std::string hash :
         {"$apr1$saltsalt$6BwcdpRros16.J9J/tHRr/",
          "{SHA}00hq6RNueFa8QiEjhep5cJRHWAI=", "{SSHA}M8XN+MyCuGNn0qVHAt++nhI4sBNzYWx0"}) {
        EXPECT_FALSE(matches_htpasswd_hash(hash, "Hello world")) << hash;
        EXPECT_FALSE(matches_htpasswd_hash(hash, "hello world!")) << hash;
        EXPECT_FALSE(matches_htpasswd_hash(hash, "")) << hash;
        EXPECT_FALSE(matches_htpasswd_hash(hash, std::string("Hello world!\0", 13))) << hash;
    }
    EXPECT_FALSE(matches_htpasswd_hash("$apr1$saltsalu$6BwcdpRros16.J9J/tHRr/", "Hello world!"));
    EXPECT_FALSE(matches_htpasswd_hash("plain", "plain"));
}

TEST(HtpasswdHash, IsComplete) {
    EXPECT_TRUE(is_htpasswd_hash("$apr1$x$ya00XvwA0viq10Nb5bv6L."));
    EXPECT_FALSE(is_htpasswd_hash("$apr1$x$ya00XvwA0viq10Nb5bv6L"));
    EXPECT_FALSE(is_htpasswd_hash("$apr1$x$ya00XvwA0viq10Nb5bv6L.."));
    EXPECT_FALSE(is_htpasswd_hash("$apr1$x$ya00XvwA0viq10Nb5bv6L!"));
    EXPECT_FALSE(is_htpasswd_hash("$apr1$$ya00XvwA0viq10Nb5bv6L."));
    EXPECT_FALSE(is_htpasswd_hash("$apr1$123456789$ya00XvwA0viq10Nb5bv6L."));
    EXPECT_FALSE(is_htpasswd_hash("$apr1$x"));
    EXPECT_FALSE(is_htpasswd_hash("$1$x$ya00XvwA0viq10Nb5bv6L."));
    EXPECT_FALSE(is_htpasswd_hash("{SHA}00hq6RNueFa8QiEjhep5cJRHWA=="));
    EXPECT_FALSE(is_htpasswd_hash("{SHA}M8XN+MyCuGNn0qVHAt++nhI4sBNzYWx0"));
    EXPECT_FALSE(is_htpasswd_hash("{SSHA}00hq6RNueFa8QiEjhep5cJRHWAI="));
    EXPECT_FALSE(is_htpasswd_hash("{SHA}"));
    EXPECT_FALSE(is_htpasswd_hash(""));
}

}  // namespace
}  // namespace gate::users
