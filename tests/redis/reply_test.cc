#include "redis/reply.h"

#include <gtest/gtest.h>

namespace gate::redis {
namespace {

using Kind = ErrorKind;

TEST(ErrorKindOf, IsSaidByTheFirstWord) {
    const struct {
        const char* text;
        Kind kind;
    } cases[] = {
        {"NOAUTH Authentication required.", Kind::kAuthentication},
        {"WRONGPASS invalid username-password pair or user is disabled.", Kind::kAuthentication},
        {"NOPERM this user has no permissions to run the 'get' command", Kind::kPermission},
        {"LOADING Redis is loading the dataset in memory", Kind::kLoading},
        {"READONLY You can't write against a read only replica.", Kind::kReadOnly},
        {"MASTERDOWN Link with MASTER is down", Kind::kMasterDown},
        {"MOVED 3999 127.0.0.1:6381", Kind::kMoved},
        {"ASK 3999 127.0.0.1:6381", Kind::kAsk},
        {"TRYAGAIN Multiple keys request during rehashing of slot", Kind::kTryAgain},
        {"CLUSTERDOWN The cluster is down", Kind::kClusterDown},
        {"OOM command not allowed when used memory > 'maxmemory'.", Kind::kOutOfMemory},
        {"MISCONF Redis is configured to save RDB snapshots", Kind::kMisconfigured},
        {"NOREPLICAS Not enough good replicas to write.", Kind::kMisconfigured},
        {"BUSY Redis is busy running a script.", Kind::kBusy},
        {"WRONGTYPE Operation against a key holding the wrong kind of value", Kind::kWrongType},
        {"ERR unknown command", Kind::kOther},
        {"NOSCRIPT No matching script.", Kind::kOther},
        {"", Kind::kOther},
    };
    for (const auto& [text, kind] : cases) EXPECT_EQ(error_kind(text), kind) << text;
}

TEST(ErrorKindOf, NeedsTheWholeWord) {
    EXPECT_EQ(error_kind("LOADING"), Kind::kLoading);
    for (const char* text : {"LOADINGS x", "LOAD x", "loading x", " LOADING x", "BUSYGROUP x",
                             "BUSYKEY x", "ASKING x", "LOADING\tx", "ERR LOADING x"}) {
        EXPECT_EQ(error_kind(text), Kind::kOther) << text;
    }
}

TEST(ErrorKindOf, KnowsOtherWordsForAPasswordThatIsNoGood) {
    for (const char* text :
         {"ERR AUTH <password> called without any password configured for the default user. Are "
          "you sure your configuration is correct?",
          "ERR Client sent AUTH, but no password is set", "ERR invalid password"}) {
        EXPECT_EQ(error_kind(text), Kind::kAuthentication) << text;
    }
    for (const char* text : {"ERR AUTH", "ERR Client sent AUTH", "ERR invalid DB index"}) {
        EXPECT_EQ(error_kind(text), Kind::kOther) << text;
    }
}

}  // namespace
}  // namespace gate::redis
