#include "gatectl/store_check.h"

#include <gtest/gtest.h>

namespace gate::ctl {
namespace {

using redis::Reply;

Reply text(std::string value) {
    Reply reply;
    reply.type = Reply::Type::kString;
    reply.text = std::move(value);
    return reply;
}

Reply save_of(const std::string& points) {
    Reply reply;
    reply.type = Reply::Type::kArray;
    reply.items = {text("save"), text(points)};
    return reply;
}

Reply error(std::string value) {
    Reply reply = text(std::move(value));
    reply.type = Reply::Type::kError;
    return reply;
}

// As Redis 7.0 answers.
std::vector<Reply> answers(const std::string& save = "3600 1") {
    return {text("# Server\r\nredis_version:7.0.15\r\n"),
            text("# Memory\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n"),
            text("# Persistence\r\naof_enabled:1\r\naof_last_write_status:ok\r\n"
                 "rdb_last_bgsave_status:ok\r\n"),
            text("# Replication\r\nrole:master\r\nconnected_slaves:2\r\n"
                 "slave0:ip=127.0.0.1,port=6380,state=online,offset=90,lag=1\r\n"
                 "slave1:ip=::1,port=6381,state=wait_bgsave,offset=0,lag=0\r\n"
                 "slave_expires_tracked_keys:0\r\nmaster_repl_offset:100\r\n"),
            save_of(save)};
}

Findings judged(const ServerState& server) {
    Findings findings;
    judge(server, findings);
    return findings;
}

TEST(InfoFieldsTest, AreTheLinesThatHaveAName) {
    const InfoFields fields = info_fields("# Head\r\na:1\r\n\r\nb:x:y\nno name\nlast:");
    EXPECT_EQ(fields, (InfoFields{{"a", "1"}, {"b", "x:y"}, {"last", ""}}));
    EXPECT_TRUE(info_fields("").empty());
}

TEST(ServerStateTest, IsWhatRedisTells) {
    const ServerState server = read_server_state(answers());
    EXPECT_TRUE(server.told);
    EXPECT_EQ(server.version, "7.0.15");
    EXPECT_EQ(server.eviction.value().name, "noeviction");
    EXPECT_FALSE(server.eviction.value().bounded);
    EXPECT_TRUE(server.aof);
    EXPECT_EQ(server.save, "3600 1");
    ASSERT_EQ(server.replicas.size(), 2U);
    EXPECT_EQ(server.replicas[0].address, "127.0.0.1:6380");
    EXPECT_EQ(server.replicas[0].state, "online");
    EXPECT_EQ(server.replicas[0].lag, 1);
    EXPECT_EQ(server.replicas[0].behind, 10);
    EXPECT_EQ(server.replicas[1].behind, 100);
    const Findings findings = judged(server);
    EXPECT_TRUE(findings.problems.empty());
    EXPECT_EQ(findings.warnings, std::vector<std::string>{"replica ::1:6381 is wait_bgsave"});
}

TEST(ServerStateTest, IsNotKnownToWhoMayNotAsk) {
    auto replies = answers();
    replies[2] = error("NOPERM this user has no permissions");
    const ServerState server = read_server_state(replies);
    EXPECT_FALSE(server.told);
    EXPECT_TRUE(judged(server).problems.empty());
    EXPECT_EQ(judged(server).warnings.size(), 1U);
    EXPECT_FALSE(read_server_state({}).told);
}

TEST(ServerStateTest, SnapshotsMayBeUnknown) {
    auto replies = answers();
    replies[4] = error("NOPERM this user has no permissions");
    ServerState server = read_server_state(replies);
    EXPECT_EQ(server.save, std::nullopt);
    EXPECT_TRUE(judged(server).problems.empty());
    server.aof = false;
    EXPECT_TRUE(judged(server).problems.empty());
    EXPECT_EQ(judged(server).warnings.size(), 2U);
}

TEST(JudgeTest, FindsWhatLosesRevocations) {
    ServerState good = read_server_state(answers());
    good.replicas.clear();
    EXPECT_TRUE(judged(good).problems.empty());
    EXPECT_TRUE(judged(good).warnings.empty());

    ServerState server = good;
    server.role = redis::Role::kReplica;
    EXPECT_EQ(judged(server).problems.size(), 1U);
    server = good;
    server.aof = false;
    server.save = "";
    EXPECT_EQ(judged(server).problems.size(), 1U);
    server = good;
    server.aof_status = "err";
    EXPECT_EQ(judged(server).problems.size(), 1U);
    server = good;
    server.rdb_status = "err";
    EXPECT_EQ(judged(server).problems.size(), 1U);
    server.save = "";  // an old failure of what is switched off
    EXPECT_TRUE(judged(server).problems.empty());
}

TEST(JudgeTest, MindsEvictionWhereMemoryCanBeFull) {
    ServerState server = read_server_state(answers());
    server.replicas.clear();
    for (const char* policy : {"allkeys-lru", "allkeys-random", "volatile-lru"}) {
        server.eviction = {policy, false};
        EXPECT_TRUE(judged(server).problems.empty());
        EXPECT_EQ(judged(server).warnings.size(), 1U);
        server.eviction->bounded = true;
        const bool drops = server.eviction->name.starts_with("allkeys");
        EXPECT_EQ(judged(server).problems.size(), drops ? 1U : 0U);
    }
    server.eviction.reset();
    EXPECT_EQ(judged(server).warnings.size(), 1U);
}

TEST(JudgeTest, WarnsOfSnapshotsAlone) {
    ServerState server = read_server_state(answers());
    server.replicas.clear();
    server.aof = false;
    EXPECT_TRUE(judged(server).problems.empty());
    EXPECT_EQ(judged(server).warnings.size(), 1U);
}

}  // namespace
}  // namespace gate::ctl
