#include <thread>

#include "apikey/key_format.h"
#include "apikey/key_table.h"
#include "gatectl/key_file.h"
#include "tests/gatectl/tool.h"

namespace gate::ctl {
namespace {

class KeyCommands : public DirectoryTest {
protected:
    struct Created {
        std::string id;
        std::string key;
    };
    Created create(std::vector<std::string> options = {}) const {
        options.insert(options.begin(), {"key", "create", path("keys"), "--json"});
        const ToolResult result = tool(options);
        EXPECT_EQ(result.status, kDone) << result.err;
        const auto json = result.json();
        return {std::string(json.root().member("id").string().value_or("")),
                std::string(json.root().member("key").string().value_or(""))};
    }
    ToolResult run(const std::string& command, const std::string& id,
                   std::vector<std::string> options = {}) const {
        options.insert(options.begin(), {"key", command, path("keys"), id});
        return tool(options);
    }
    std::string verify(const std::string& key, std::vector<std::string> options = {},
                       Seconds now = kTestNow) const {
        options.insert(options.begin(), {"key", "verify", path("keys"), "--json"});
        const ToolResult result = tool(options, key + "\n", now);
        const auto json = result.json();
        const bool accepted = json.root().member("verdict").string() == "accept";
        EXPECT_EQ(result.status, accepted ? kDone : kRefused) << result.err;
        return std::string(json.root().member("reason").string().value_or(result.err));
    }
    apikey::KeyTable table() const {
        auto parsed = apikey::KeyTable::parse(read("keys"));
        EXPECT_TRUE(parsed) << parsed.error();
        return parsed ? *std::move(parsed) : apikey::KeyTable();
    }
};

TEST_F(KeyCommands, CreateKeepsTheDigestAndNotTheKey) {
    const Created created = create({"--prefix", "acme_"});
    EXPECT_TRUE(apikey::check_key({"acme_", true}, created.key));
    EXPECT_EQ(read("keys").find(created.key), std::string::npos);
    const auto digest = apikey::digest_key(created.key, apikey::DigestKind::kSha256, {});
    const apikey::KeyTable keys = table();
    ASSERT_NE(keys.find(digest), nullptr);
    EXPECT_EQ(keys.find(digest)->id, created.id);
    EXPECT_EQ(keys.find(digest)->created, kTestNow);
    EXPECT_EQ(created.key.find(created.id), std::string::npos);
}

TEST_F(KeyCommands, CreateTakesEveryProperty) {
    create({"--name",    "n",          "--owner",      "o",
            "--scope",   "a:*",        "--scope",      "b",
            "--role",    "r",          "--group",      "g",
            "--expires", "90d",        "--not-before", "2027-02-01T00:00:00Z",
            "--cidr",    "10.0.0.0/8", "--cidr",       "::1",
            "--rate",    "100r/m",     "--burst",      "5",
            "--label",   "tier=gold",  "--label-json", "level=3"});
    const auto keys = table();
    ASSERT_EQ(keys.records().size(), 1u);
    const apikey::Record& record = *keys.records()[0];
    EXPECT_EQ(record.name, "n");
    EXPECT_EQ(record.owner, "o");
    EXPECT_EQ(record.scopes, (std::vector<std::string>{"a:*", "b"}));
    EXPECT_EQ(record.roles, std::vector<std::string>{"r"});
    EXPECT_EQ(record.groups, std::vector<std::string>{"g"});
    EXPECT_EQ(record.expires, kTestNow + 90 * 86400);
    EXPECT_EQ(record.not_before, parse_rfc3339("2027-02-01T00:00:00Z"));
    EXPECT_EQ(record.networks.size(), 2u);
    EXPECT_EQ(record.rate, "100r/m");
    EXPECT_EQ(record.burst, 5);
    EXPECT_EQ(record.labels.root().dump(), R"({"tier":"gold","level":3})");
}

TEST_F(KeyCommands, CreateRefusesWhatWouldNotLoadAndLeavesNoFile) {
    const std::vector<std::vector<std::string>> bad{{"--expires", "soon"},
                                                    {"--expires", "2020-01-01T00:00:00Z"},
                                                    {"--expires", "0s"},
                                                    {"--cidr", "10.0.0.1/8"},
                                                    {"--rate", "fast"},
                                                    {"--burst", "0"},
                                                    {"--burst", "x"},
                                                    {"--label", "novalue"},
                                                    {"--label", "=x"},
                                                    {"--label-json", "a=1,\"b\":2"},
                                                    {"--label-json", "a="},
                                                    {"--prefix", "a b"},
                                                    {"--scope", ""},
                                                    {"--name", "a\nb"},
                                                    {"--label", "a=1", "--label", "a=2"},
                                                    {"--not-before", "2d", "--expires", "1d"}};
    for (auto options : bad) {
        const std::string what = options[0] + " " + options[1];
        options.insert(options.begin(), {"key", "create", path("keys")});
        const ToolResult result = tool(options);
        EXPECT_EQ(result.status, kUsage) << what;
        EXPECT_EQ(result.out, "") << what;
    }
    EXPECT_TRUE(names().empty());
}

TEST_F(KeyCommands, PrintTheKeyForPeopleOnce) {
    const ToolResult result = tool({"key", "create", path("keys")});
    EXPECT_EQ(result.status, kDone);
    EXPECT_TRUE(result.out.starts_with("id   k"));
    EXPECT_NE(result.out.find("\nkey  "), std::string::npos);
    EXPECT_NE(result.err.find("is new and readable by its owner only"), std::string::npos);
    EXPECT_EQ(tool({"key", "create", path("keys")}).err,
              "gatectl: this is the only time the key is shown\n");
}

TEST_F(KeyCommands, RefuseABrokenFileAndLeaveItAlone) {
    const std::string broken = R"({"version":1,"keys":[{"id":"a"}]})";
    write("keys", broken);
    for (const char* command : {"create", "list", "verify"}) {
        EXPECT_EQ(tool({"key", command, path("keys")}, "x").status, kRefused) << command;
    }
    for (const char* command : {"show", "rotate", "suspend", "resume", "revoke"}) {
        EXPECT_EQ(run(command, "a").status, kRefused) << command;
    }
    EXPECT_EQ(read("keys"), broken);
}

TEST_F(KeyCommands, RefuseAMissingFileExceptToCreate) {
    for (const char* command : {"show", "rotate", "suspend", "resume", "revoke"}) {
        EXPECT_EQ(run(command, "a").status, kRefused) << command;
    }
    EXPECT_EQ(tool({"key", "list", path("keys")}).status, kRefused);
    EXPECT_TRUE(names().empty());
}

TEST_F(KeyCommands, VerifyTellsWhyNot) {
    const Created created = create({"--expires", "1h", "--not-before", "10s", "--prefix", "p_"});
    EXPECT_EQ(verify(created.key), "key_not_yet");
    EXPECT_EQ(verify(created.key, {}, kTestNow + 10), "");
    EXPECT_EQ(verify(created.key, {"--prefix", "p_"}, kTestNow + 10), "");
    EXPECT_EQ(verify(created.key, {}, kTestNow + 3600), "key_expired");
    std::string typo = created.key;
    typo[10] = typo[10] == 'a' ? 'b' : 'a';
    EXPECT_EQ(verify(typo), "key_checksum");
    EXPECT_EQ(verify("elsewhere"), "key_unknown");
    EXPECT_EQ(verify("elsewhere", {"--prefix", "p_"}), "key_malformed");
    EXPECT_EQ(verify(*apikey::generate_key("p_"), {"--prefix", "p_"}), "key_unknown");
}

TEST_F(KeyCommands, VerifyReadsTheKeyFromStandardInputOnly) {
    const Created created = create();
    EXPECT_EQ(tool({"key", "verify", path("keys"), created.key}).status, kUsage);
    EXPECT_EQ(tool({"key", "verify", path("keys")}, "\n").status, kUsage);
}

TEST_F(KeyCommands, VerifyJudgesTheAddress) {
    const Created created = create({"--cidr", "192.0.2.0/24"});
    EXPECT_EQ(verify(created.key), "");
    EXPECT_EQ(verify(created.key, {"--address", "192.0.2.9"}), "");
    EXPECT_EQ(verify(created.key, {"--address", "::ffff:192.0.2.9"}), "");
    EXPECT_EQ(verify(created.key, {"--address", "192.0.3.1"}), "key_address");
    EXPECT_EQ(tool({"key", "verify", path("keys"), "--address", "x"}, "k").status, kUsage);
    EXPECT_NE(tool({"key", "verify", path("keys")}, created.key).err.find("not checked"),
              std::string::npos);
}

TEST_F(KeyCommands, PeppersAreNeededToVerify) {
    const std::string pepper = write("pepper", std::string(32, 'p') + "\n");
    const std::string other = write("other", std::string(32, 'q'));
    const Created created = create({"--pepper-file", pepper});
    EXPECT_EQ(verify(created.key), "key_unknown");
    EXPECT_EQ(verify(created.key, {"--pepper-file", pepper}), "");
    EXPECT_EQ(verify(created.key, {"--pepper-file", other, "--pepper-file", pepper}), "");
    EXPECT_EQ(verify(created.key, {"--pepper-file", other}), "key_unknown");
    const std::string weak = write("weak", std::string(31, 'p') + "\n");
    EXPECT_EQ(tool({"key", "create", path("keys"), "--pepper-file", weak}).status, kRefused);
}

TEST_F(KeyCommands, SuspendResumeAndRevoke) {
    const Created created = create({"--name", "n"});
    EXPECT_EQ(run("suspend", created.id).out, "key " + created.id + " is suspended\n");
    EXPECT_EQ(verify(created.key), "key_suspended");
    EXPECT_EQ(run("suspend", "n").status, kDone);
    EXPECT_EQ(run("resume", "n").out, "key " + created.id + " is active\n");
    EXPECT_EQ(verify(created.key), "");
    EXPECT_EQ(run("revoke", created.id, {"--json"}).json().root().member("state").string(),
              "revoked");
    EXPECT_EQ(verify(created.key), "key_revoked");
    EXPECT_EQ(run("resume", created.id).status, kRefused);
    EXPECT_EQ(run("suspend", created.id).status, kRefused);
    EXPECT_EQ(run("revoke", created.id).status, kDone);
    EXPECT_EQ(run("revoke", "nobody").status, kRefused);
}

TEST_F(KeyCommands, RotateGivesASuccessorAndEndsTheOldKey) {
    const Created old = create({"--name", "n", "--scope", "s", "--label", "a=b"});
    const ToolResult result = run("rotate", old.id, {"--grace", "1h", "--json"});
    ASSERT_EQ(result.status, kDone) << result.err;
    const auto json = result.json();
    const std::string key(*json.root().member("key").string());
    const auto record = json.root().member("record");
    EXPECT_NE(record.member("id").string(), old.id);
    EXPECT_EQ(record.member("name").string(), "n");
    EXPECT_EQ(record.member("scopes").dump(), R"(["s"])");
    EXPECT_EQ(record.member("labels").dump(), R"({"a":"b"})");
    EXPECT_EQ(verify(old.key, {}, kTestNow + 3599), "");
    EXPECT_EQ(verify(old.key, {}, kTestNow + 3600), "key_expired");
    EXPECT_EQ(verify(key, {}, kTestNow + 3600), "");
    // Both have the name now.
    EXPECT_NE(run("show", "n").err.find("2 keys have the name"), std::string::npos);
}

TEST_F(KeyCommands, RotateNeverProlongsTheOldKey) {
    const Created old = create({"--expires", "1h"});
    ASSERT_EQ(run("rotate", old.id, {"--grace", "48h", "--expires", "90d"}).status, kDone);
    EXPECT_EQ(verify(old.key, {}, kTestNow + 3600), "key_expired");
    EXPECT_EQ(table().records()[1]->expires, kTestNow + 90 * 86400);
}

TEST_F(KeyCommands, RotateRefusesKeysThatAreNotGood) {
    const Created old = create({"--expires", "1h"});
    const std::vector<std::string> words{"key", "rotate", path("keys"), old.id};
    EXPECT_NE(tool(words, "", kTestNow + 3600).err.find("give --expires"), std::string::npos);
    ASSERT_EQ(run("suspend", old.id).status, kDone);
    EXPECT_EQ(run("rotate", old.id).status, kRefused);
    EXPECT_EQ(run("rotate", old.id, {"--grace", "x"}).status, kUsage);
    EXPECT_EQ(table().records().size(), 1u);
}

TEST_F(KeyCommands, ListAndShowNeverTellTheDigest) {
    const Created created = create({"--name", "first", "--scope", "a", "--scope", "b"});
    const std::string digest = table().records()[0]->digest;
    for (const auto& words : std::vector<std::vector<std::string>>{
             {"key", "list", path("keys")},
             {"key", "list", path("keys"), "--json"},
             {"key", "show", path("keys"), "first"},
             {"key", "show", path("keys"), created.id, "--json"}}) {
        const ToolResult result = tool(words);
        EXPECT_EQ(result.status, kDone);
        EXPECT_NE(result.out.find(created.id), std::string::npos);
        EXPECT_EQ(result.out.find(digest.substr(0, 16)), std::string::npos);
    }
    EXPECT_NE(tool({"key", "list", path("keys")}).out.find("never    a b\n"), std::string::npos);
}

TEST_F(KeyCommands, ListFiltersByState) {
    const Created one = create();
    create();
    ASSERT_EQ(run("revoke", one.id).status, kDone);
    const auto json = tool({"key", "list", path("keys"), "--json", "--state", "revoked"}).json();
    ASSERT_EQ(json.root().member("keys").size(), 1u);
    EXPECT_EQ(json.root().member("keys").at(0).member("id").string(), one.id);
    EXPECT_EQ(tool({"key", "list", path("keys"), "--state", "expired"}).out, "");
}

TEST_F(KeyCommands, ConcurrentCreatesLoseNothing) {
    constexpr int kEach = 10;
    const auto work = [this] {
        for (int i = 0; i < kEach; ++i) create();
    };
    std::thread first(work);
    std::thread second(work);
    first.join();
    second.join();
    EXPECT_EQ(table().records().size(), 2u * kEach);
    EXPECT_EQ(names(), std::vector<std::string>{"keys"});
}

TEST(StateOf, FollowsTimeAndStatus) {
    apikey::Record record;
    EXPECT_EQ(state_of(record, 10), "active");
    record.not_before = 11;
    EXPECT_EQ(state_of(record, 10), "not yet");
    record.expires = 10;
    EXPECT_EQ(state_of(record, 10), "expired");
    record.status = apikey::KeyStatus::kRevoked;
    EXPECT_EQ(state_of(record, 10), "revoked");
}

}  // namespace
}  // namespace gate::ctl
