#include "gatectl/redis_options.h"

#include <cstdlib>

#include "tests/gatectl/tool.h"

namespace gate::ctl {
namespace {

int run_nothing(const Arguments&, Io&) {
    return kDone;
}

constexpr Command kCommand{"do", "", "Do it", "", {}, 0, 9, run_nothing, kRedisChangeOptions};

class RedisOptionsTest : public DirectoryTest {
protected:
    void SetUp() override {
        DirectoryTest::SetUp();
        unsetenv(kRedisVariable);
    }
    void TearDown() override {
        unsetenv(kRedisVariable);
        DirectoryTest::TearDown();
    }
    static Result<std::optional<RedisOptions>, std::string> read(
        const std::vector<std::string>& words, bool file = false) {
        const auto arguments = parse_arguments(kCommand, words);
        if (!arguments) return fail(arguments.error());
        return redis_options(*arguments, file);
    }
    static RedisOptions good(const std::vector<std::string>& words) {
        auto options = read(words);
        EXPECT_TRUE(options) << options.error();
        if (!options) return {};
        EXPECT_TRUE(*options);
        return **options;
    }
    static std::string bad(const std::vector<std::string>& words, bool file = false) {
        const auto options = read(words, file);
        return options ? "" : options.error();
    }
};

TEST_F(RedisOptionsTest, SayNothingWhereNoStoreIsNamed) {
    const auto options = read({});
    ASSERT_TRUE(options);
    EXPECT_FALSE(*options);
}

TEST_F(RedisOptionsTest, HaveTheDefaultsOfTheModule) {
    const RedisOptions options = good({"--redis", "redis.example.com"});
    EXPECT_EQ(options.topology, RedisTopology::kServer);
    ASSERT_EQ(options.servers.size(), 1U);
    EXPECT_EQ(options.servers[0].text(), "redis.example.com:6379");
    EXPECT_EQ(options.keys.epoch(), "gate:epoch");
    EXPECT_EQ(options.login.password, nullptr);
    EXPECT_EQ(options.login.db, 0U);
    EXPECT_FALSE(options.tls.on);
    EXPECT_TRUE(options.tls.verify);
    EXPECT_EQ(options.timeout, 5000);
    EXPECT_EQ(options.wait, std::nullopt);
}

TEST_F(RedisOptionsTest, TakeAllOfAServer) {
    const RedisOptions options = good({"--redis",
                                       "[::1]:7000",
                                       "--redis-user",
                                       "u",
                                       "--redis-password-file",
                                       write("pw", "secret\n"),
                                       "--db",
                                       "3",
                                       "--redis-prefix",
                                       "p:",
                                       "--tls",
                                       "--tls-ca",
                                       "a",
                                       "--tls-cert",
                                       "c",
                                       "--tls-key",
                                       "k",
                                       "--tls-name",
                                       "n",
                                       "--timeout",
                                       "2m",
                                       "--wait",
                                       "2"});
    EXPECT_EQ(options.servers[0].text(), "[::1]:7000");
    EXPECT_EQ(options.login.user, "u");
    ASSERT_NE(options.login.password, nullptr);
    EXPECT_EQ(options.login.password->text(), "secret");
    EXPECT_EQ(options.login.db, 3U);
    EXPECT_EQ(options.keys.prefix(), "p:");
    EXPECT_TRUE(options.tls.on);
    EXPECT_EQ(options.tls.ca, "a");
    EXPECT_EQ(options.tls.certificate, "c");
    EXPECT_EQ(options.tls.key, "k");
    EXPECT_EQ(options.tls.name, "n");
    EXPECT_EQ(options.timeout, 120000);
    EXPECT_EQ(options.wait, 2U);
}

TEST_F(RedisOptionsTest, KnowSentinelsAndClusters) {
    const RedisOptions sentinels = good({"--redis", "a", "--redis", "b:1", "--sentinel", "m",
                                         "--sentinel-password-file", write("pw", "x")});
    EXPECT_EQ(sentinels.topology, RedisTopology::kSentinel);
    EXPECT_EQ(sentinels.master, "m");
    EXPECT_EQ(sentinels.servers[0].text(), "a:26379");
    EXPECT_EQ(sentinels.servers[1].text(), "b:1");
    EXPECT_EQ(sentinels.sentinel_login.password->text(), "x");
    EXPECT_EQ(sentinels.login.password, nullptr);
    const RedisOptions cluster = good({"--redis", "a", "--redis", "b", "--cluster"});
    EXPECT_EQ(cluster.topology, RedisTopology::kCluster);
    EXPECT_EQ(cluster.servers.size(), 2U);
    EXPECT_EQ(cluster.keys.prefix(), "{gate}:");
}

TEST_F(RedisOptionsTest, TakeAddressesFromTheEnvironment) {
    setenv(kRedisVariable, "unix:/run/redis.sock", 1);
    EXPECT_EQ(good({}).servers[0].text(), "unix:/run/redis.sock");
    EXPECT_EQ(good({"--redis", "a"}).servers[0].text(), "a:6379");
    const auto file = read({}, true);
    ASSERT_TRUE(file);
    EXPECT_FALSE(*file);
    setenv(kRedisVariable, "a:1,b:2", 1);
    EXPECT_EQ(good({"--cluster"}).servers.size(), 2U);
    EXPECT_NE(bad({}).find("GATE_REDIS: several addresses"), std::string::npos);
    setenv(kRedisVariable, "a:x", 1);
    EXPECT_NE(bad({}).find("GATE_REDIS: port"), std::string::npos);
    setenv(kRedisVariable, "", 1);
    const auto none = read({});
    ASSERT_TRUE(none);
    EXPECT_FALSE(*none);
}

TEST_F(RedisOptionsTest, TakeTimesAsNginxWritesThem) {
    EXPECT_EQ(good({"--redis", "a", "--timeout", "500ms"}).timeout, 500);
    EXPECT_EQ(good({"--redis", "a", "--timeout", "7"}).timeout, 7000);
    EXPECT_EQ(good({"--redis", "a", "--timeout", "10m"}).timeout, 600000);
    for (const char* wrong : {"0", "0ms", "ms", "-1s", "601s", "600001ms", "x", ""}) {
        EXPECT_NE(bad({"--redis", "a", "--timeout", wrong}), "") << wrong;
    }
}

TEST_F(RedisOptionsTest, RefuseWhatContradictsItself) {
    EXPECT_NE(bad({"--redis", "a"}, true), "");
    EXPECT_NE(bad({"--redis", "a", "--redis", "b"}), "");
    EXPECT_NE(bad({"--redis", "a", "--cluster", "--sentinel", "m"}), "");
    EXPECT_NE(bad({"--redis", "a", "--cluster", "--db", "1"}), "");
    EXPECT_NE(bad({"--redis", "a", "--cluster", "--redis-prefix", "gate:"}), "");
    EXPECT_NE(bad({"--redis", "a", "--redis-prefix", std::string(129, 'x')}), "");
    EXPECT_NE(bad({"--redis", "a", "--redis-user", "u"}), "");
    EXPECT_NE(bad({"--redis", "a", "--tls-ca", "f"}), "");
    EXPECT_NE(bad({"--redis", "a", "--tls", "--tls-key", "f"}), "");
    EXPECT_NE(bad({"--redis", "a", "--tls", "--tls-ca", "f", "--tls-insecure"}), "");
    EXPECT_NE(bad({"--redis", "a", "--wait", "1001"}), "");
    EXPECT_NE(bad({"--redis", "a", "--db", "01"}), "");
    EXPECT_EQ(bad({"--redis", "a", "--db", "0", "--cluster"}), "");
}

TEST_F(RedisOptionsTest, SayNothingAloneOrBesideAFile) {
    for (const Option& option : kRedisChangeOptions) {
        if (option.name == "redis") continue;
        std::vector<std::string> words{"--" + std::string(option.name)};
        if (!option.value.empty()) words.emplace_back("1");
        EXPECT_EQ(bad(words), words[0] + " goes with --redis");
        EXPECT_EQ(bad(words, true), words[0] + " goes with --redis, not with a file");
    }
}

}  // namespace
}  // namespace gate::ctl
