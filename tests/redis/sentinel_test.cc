#include "redis/sentinel.h"

#include <gtest/gtest.h>

#include "tests/redis/replies.h"

namespace gate::redis {
namespace {

using namespace test;

TEST(MasterQuestion, NamesTheMaster) {
    std::string out;
    append_master_question(out, "my\r\nmaster");
    EXPECT_EQ(out,
              "*3\r\n$8\r\nSENTINEL\r\n$23\r\nGET-MASTER-ADDR-BY-NAME\r\n$10\r\nmy\r\nmaster\r\n");
}

TEST(ReadMaster, IsAddressAndPort) {
    EXPECT_EQ(read_master(array({string("127.0.0.1"), string("6380")})),
              (Endpoint{"127.0.0.1", 6380, ""}));
    EXPECT_EQ(read_master(array({string("2001:db8::1"), string("1")})),
              (Endpoint{"2001:db8::1", 1, ""}));
    EXPECT_EQ(read_master(array({string("redis-1.example.com"), string("65535")})),
              (Endpoint{"redis-1.example.com", 65535, ""}));
}

TEST(ReadMaster, IsNobodyForAnythingElse) {
    const Reply host = string("127.0.0.1");
    const Reply port = string("6380");
    for (const Reply& reply : {nil(),
                               status("OK"),
                               error("ERR No such master with that name"),
                               integer(1),
                               host,
                               array({}),
                               array({host}),
                               array({host, port, port}),
                               array({host, integer(6380)}),
                               array({status("127.0.0.1"), port}),
                               array({nil(), port}),
                               array({host, nil()}),
                               array({string(""), port}),
                               array({string("a b"), port}),
                               array({string("?"), port}),
                               array({string("[::1]"), port}),
                               array({host, string("0")}),
                               array({host, string("")}),
                               array({host, string("65536")}),
                               array({host, string("6380 ")})}) {
        EXPECT_FALSE(read_master(reply)) << encode(reply);
    }
}

}  // namespace
}  // namespace gate::redis
