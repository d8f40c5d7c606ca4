#include <sys/stat.h>

#include "gatectl/redis_users.h"
#include "gatectl/user_file.h"
#include "tests/gatectl/tool.h"
#include "tests/users/sample_user.h"
#include "users/password_hash.h"

namespace gate::ctl {
namespace {

using users::kHash;
using users::User;
using users::UserStatus;
using users::UserTable;

const std::string kOther =
    "$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/"
    "UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.";

class UserCommands : public DirectoryTest {
protected:
    // With a cheap hash.
    ToolResult set(const std::string& command, const std::string& name, const std::string& input,
                   std::vector<std::string> options = {}) const {
        options.insert(options.begin(), {"user", command, path("users"), name, "--password-stdin",
                                         "--hash", "sha512", "--cost", "5000"});
        return tool(options, input);
    }
    ToolResult run(const std::string& command, const std::string& name,
                   std::vector<std::string> options = {}) const {
        options.insert(options.begin(), {"user", command, path("users"), name});
        return tool(options);
    }
    UserTable table() const {
        auto parsed = UserTable::parse(read("users"));
        EXPECT_TRUE(parsed) << parsed.error();
        return parsed ? *std::move(parsed) : UserTable();
    }
    bool verify(const std::string& name, std::string_view password) const {
        const UserTable users = table();
        const auto user = users.find(name);
        return user != nullptr && users::verify(user->password, password);
    }
};

TEST_F(UserCommands, AddKeepsTheHashAndNotThePassword) {
    const ToolResult result = set("add", "bob", "correct horse\nsecond line\n");
    EXPECT_EQ(result.status, kDone) << result.err;
    EXPECT_EQ(result.out, "user bob is added\n");
    EXPECT_EQ(read("users").find("correct"), std::string::npos);
    EXPECT_TRUE(verify("bob", "correct horse"));
    EXPECT_EQ(table().find("bob")->created, kTestNow);
    EXPECT_EQ(table().find("bob")->status, UserStatus::kActive);
}

TEST_F(UserCommands, AddMakesAFileThatOthersCannotRead) {
    const mode_t before = umask(0);
    const ToolResult result = set("add", "bob", "pw\n");
    umask(before);
    EXPECT_NE(result.err.find("is new and readable by its owner and group only"),
              std::string::npos);
    struct stat status {};
    ASSERT_EQ(stat(path("users").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0640u);
    EXPECT_EQ(set("add", "eve", "pw\n").err, "");
}

TEST_F(UserCommands, AddTakesEveryProperty) {
    set("add", "bob", "pw\n",
        {"--role", "r", "--role", "s", "--scope", "a:*", "--group", "g", "--email", "b@example.org",
         "--label", "tier=gold", "--label-json", "level=3"});
    const auto user = table().find("bob");
    ASSERT_NE(user, nullptr);
    EXPECT_EQ(user->roles, (std::vector<std::string>{"r", "s"}));
    EXPECT_EQ(user->scopes, (std::vector<std::string>{"a:*"}));
    EXPECT_EQ(user->groups, (std::vector<std::string>{"g"}));
    EXPECT_EQ(user->email, "b@example.org");
    EXPECT_EQ(user->labels.root().dump(), R"({"tier":"gold","level":3})");
}

TEST_F(UserCommands, AddRefusesANameThatIsTaken) {
    set("add", "bob", "one\n");
    const ToolResult again = set("add", "bob", "two\n");
    EXPECT_EQ(again.status, kRefused);
    EXPECT_EQ(again.err, "gatectl: a user has the name \"bob\" already\n");
    EXPECT_TRUE(verify("bob", "one"));
}

TEST_F(UserCommands, AddTellsWhatIsWrongWithItsOptions) {
    const std::string add = "add";
    EXPECT_EQ(set(add, "a:b", "pw\n").status, kUsage);
    EXPECT_EQ(set(add, "bob", "pw\n", {"--role", ""}).status, kUsage);
    EXPECT_EQ(set(add, "bob", "pw\n", {"--label", "x"}).status, kUsage);
    EXPECT_EQ(set(add, "bob", "pw\n", {"--generate"}).err,
              "gatectl: --generate and --password-stdin exclude each other\n");
    EXPECT_EQ(run(add, "bob", {"--hash", "md5"}).err,
              "gatectl: --hash: expected yescrypt, bcrypt or sha512\n");
    EXPECT_EQ(run(add, "bob", {"--cost", "0"}).err, "gatectl: --cost: expected a number\n");
    EXPECT_EQ(run(add, "bob", {"--cost", "10"}).err,
              "gatectl: --cost: the cost of yescrypt is a number from 1 to 9\n");
    EXPECT_EQ(run(add, "bob", {"--password", "x"}).status, kUsage);
    EXPECT_EQ(tool({"user", "add", "bob"}).err,
              "gatectl: which users? Give the FILE with them in front, or --redis ADDRESS\n");
    EXPECT_EQ(names(), std::vector<std::string>{});
}

TEST_F(UserCommands, RefusePasswordsThatNothingWouldAccept) {
    for (const std::string& input : {std::string("\n"), std::string(), std::string("a\0b\n", 4),
                                     std::string(512, 'x') + "\n", std::string(100000, 'x')}) {
        const ToolResult result = set("add", "bob", input);
        EXPECT_EQ(result.status, kRefused);
        EXPECT_NE(result.err.find("a password "), std::string::npos) << result.err;
    }
    const ToolResult bcrypt =
        tool({"user", "add", path("users"), "bob", "--password-stdin", "--hash", "bcrypt"},
             std::string(73, 'x') + "\n");
    EXPECT_EQ(bcrypt.err, "gatectl: bcrypt takes passwords of at most 72 octets\n");
    EXPECT_EQ(names(), std::vector<std::string>{});
}

TEST_F(UserCommands, GenerateShowsAPasswordOnce) {
    const ToolResult result = run("add", "bob", {"--generate", "--json", "--cost", "1"});
    EXPECT_EQ(result.status, kDone) << result.err;
    const auto json = result.json();
    const auto password = json.root().member("password").string();
    ASSERT_TRUE(password);
    EXPECT_EQ(password->size(), 24u);
    EXPECT_TRUE(verify("bob", *password));
    EXPECT_FALSE(json.root().member("user").member("password").present());
    EXPECT_EQ(json.root().member("user").member("scheme").string(), "$y$");
    const ToolResult text = run("passwd", "bob", {"--generate", "--cost", "1"});
    EXPECT_NE(text.out.find("password  "), std::string::npos);
    EXPECT_EQ(text.err, "gatectl: this is the only time the password is shown\n");
    EXPECT_FALSE(verify("bob", *password));
}

TEST_F(UserCommands, PasswdChangesOnlyThePassword) {
    set("add", "bob", "one\n", {"--role", "r"});
    run("disable", "bob");
    const ToolResult result = set("passwd", "bob", "two\r\n");
    EXPECT_EQ(result.status, kDone) << result.err;
    EXPECT_EQ(result.out, "user bob has a new password\n");
    EXPECT_TRUE(verify("bob", "two"));
    EXPECT_EQ(table().find("bob")->status, UserStatus::kDisabled);
    EXPECT_EQ(table().find("bob")->roles, (std::vector<std::string>{"r"}));
    EXPECT_EQ(set("passwd", "eve", "two\n").err, "gatectl: no user has the name \"eve\"\n");
}

TEST_F(UserCommands, DisableEnableAndRemove) {
    set("add", "bob", "pw\n");
    set("add", "eve", "pw\n");
    EXPECT_EQ(run("disable", "bob").out, "user bob is disabled\n");
    EXPECT_EQ(table().find("bob")->status, UserStatus::kDisabled);
    const std::string before = read("users");
    EXPECT_EQ(run("disable", "bob").status, kDone);
    EXPECT_EQ(read("users"), before);
    EXPECT_EQ(
        run("enable", "bob", {"--json"}).json().root().member("user").member("status").string(),
        "active");
    EXPECT_EQ(run("remove", "bob").out, "user bob is removed\n");
    EXPECT_EQ(table().find("bob"), nullptr);
    EXPECT_NE(table().find("eve"), nullptr);
    for (const std::string command : {"disable", "enable", "remove", "show"}) {
        const ToolResult gone = run(command, "bob");
        EXPECT_EQ(gone.status, kRefused);
        EXPECT_EQ(gone.err, "gatectl: no user has the name \"bob\"\n");
    }
    EXPECT_EQ(tool({"user", "remove", path("missing"), "bob"}).status, kRefused);
}

TEST_F(UserCommands, ListAndShowNeverShowAHash) {
    write("users", "{\"users\":[{\"name\":\"eve\",\"password\":\"" + kHash +
                       "\",\"created\":5,\"roles\":[\"r\"]},{\"name\":\"bob\",\"password\":\""
                       "$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/\",\"email\":\"b@example.org\"}]}");
    const ToolResult list = tool({"user", "list", path("users")});
    EXPECT_EQ(
        list.out,
        "NAME  STATUS  CREATED               HASH           EMAIL          ROLES  SCOPES  "
        "GROUPS\n"
        "bob   active  -                     $apr1$ (weak)  b@example.org  -      -       -\n"
        "eve   active  1970-01-01T00:00:05Z  $6$            -              r      -       -\n");
    const auto json = tool({"user", "list", path("users"), "--json"}).json();
    ASSERT_EQ(json.root().member("users").size(), 2u);
    EXPECT_EQ(json.root().member("users").at(1).member("roles").at(0).string(), "r");
    EXPECT_FALSE(json.root().member("users").at(1).member("password").present());
    const ToolResult show = run("show", "bob");
    EXPECT_NE(show.out.find("hash        $apr1$ (weak)\n"), std::string::npos) << show.out;
    EXPECT_EQ(run("show", "eve", {"--json"}).out,
              R"({"name":"eve","roles":["r"],"status":"active","created":"1970-01-01T00:00:05Z",)"
              R"("scheme":"$6$"})"
              "\n");
    write("users", "{\"users\":[]}");
    EXPECT_EQ(tool({"user", "list", path("users")}).err, "gatectl: no users\n");
}

TEST_F(UserCommands, LeaveFilesOfHtpasswdAlone) {
    const std::string text = "bob:" + kHash + "\n";
    write("users", text);
    for (const std::string command : {"disable", "remove", "show"}) {
        const ToolResult result = run(command, "bob");
        EXPECT_EQ(result.status, kRefused);
        EXPECT_EQ(result.err, "gatectl: " + path("users") +
                                  ": is a file of the tool htpasswd, which changes it; \"gatectl "
                                  "user import\" takes its users into a user file or a store in "
                                  "Redis\n");
    }
    EXPECT_EQ(read("users"), text);
}

TEST_F(UserCommands, ImportConvertsHtpasswd) {
    write("old", "bob:" + kHash + "\neve:$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/\n");
    const ToolResult result = run("import", path("old"));
    EXPECT_EQ(result.status, kDone);
    EXPECT_EQ(result.out, "2 added, 0 replaced, 0 unchanged\n");
    EXPECT_NE(result.err.find("gatectl: user \"eve\" has a weak hash ($apr1$)\n"),
              std::string::npos);
    EXPECT_TRUE(verify("bob", "Hello world!"));
    EXPECT_TRUE(verify("eve", "myPassword"));
    EXPECT_EQ(table().find("bob")->created, kTestNow);
    EXPECT_EQ(run("import", path("old")).out, "0 added, 0 replaced, 2 unchanged\n");
}

TEST_F(UserCommands, ImportKeepsUsersUnlessToldToReplaceThem) {
    write("users", "{\"users\":[{\"name\":\"bob\",\"password\":\"" + kHash +
                       "\",\"created\":5,\"roles\":[\"r\"],\"status\":\"disabled\"}]}");
    write("old", "bob:" + kOther + "\n");
    EXPECT_EQ(run("import", path("old")).out, "0 added, 0 replaced, 1 unchanged\n");
    EXPECT_EQ(table().find("bob")->password, kHash);
    EXPECT_EQ(run("import", path("old"), {"--replace", "--json"}).out,
              "{\"added\":0,\"replaced\":1,\"unchanged\":0}\n");
    auto bob = table().find("bob");
    EXPECT_EQ(bob->password, kOther);
    EXPECT_EQ(bob->roles, (std::vector<std::string>{"r"}));
    EXPECT_EQ(bob->status, UserStatus::kDisabled);
    EXPECT_EQ(run("import", path("old"), {"--replace"}).out, "0 added, 0 replaced, 1 unchanged\n");

    write("old",
          "{\"users\":[{\"name\":\"bob\",\"password\":\"" + kHash + "\",\"scopes\":[\"s\"]}]}");
    EXPECT_EQ(run("import", path("old"), {"--replace"}).out, "0 added, 1 replaced, 0 unchanged\n");
    bob = table().find("bob");
    EXPECT_TRUE(bob->roles.empty());
    EXPECT_EQ(bob->scopes, (std::vector<std::string>{"s"}));
    EXPECT_EQ(bob->status, UserStatus::kActive);
    EXPECT_EQ(bob->created, 5);
}

TEST_F(UserCommands, ImportRefusesABrokenFileWhole) {
    write("old", "bob:" + kHash + "\neve:secret\n");
    const ToolResult result = run("import", path("old"));
    EXPECT_EQ(result.status, kRefused);
    EXPECT_EQ(result.err,
              "gatectl: " + path("old") +
                  ": line 2: user \"eve\": the hash is no hash but perhaps the password "
                  "itself; set a new password with \"gatectl user passwd\"\n");
    EXPECT_EQ(names(), std::vector<std::string>{"old"});
}

// ---- what Redis answers

redis::Reply reply_of(redis::Reply::Type type, std::string text = "") {
    redis::Reply reply;
    reply.type = type;
    reply.text = std::move(text);
    return reply;
}

redis::Reply hash_of(const std::vector<std::string>& fields) {
    redis::Reply reply = reply_of(redis::Reply::Type::kArray);
    for (const std::string& field : fields) {
        reply.items.push_back(reply_of(redis::Reply::Type::kString, field));
    }
    return reply;
}

TEST(UserIn, IsTheUserOfItsName) {
    const redis::Reply good = hash_of({"v", "1", "name", "bob", "password", kHash});
    const auto user = user_in(good, "bob");
    ASSERT_TRUE(user) << user.error();
    EXPECT_EQ((*user)->name, "bob");
    EXPECT_EQ(user_in(good, "eve").error(), "the record is that of another user");
    EXPECT_EQ(*user_in(hash_of({}), "bob"), nullptr);
}

TEST(UserIn, RefusesWhatIsNoUserWithoutItsValues) {
    using Type = redis::Reply::Type;
    for (const redis::Reply& reply :
         {reply_of(Type::kNil), reply_of(Type::kError, "WRONGTYPE Operation"), hash_of({"v"}),
          hash_of({"v", "1", "name", "bob"}),
          hash_of({"v", "1", "name", "bob", "password", kHash + "x"}),
          hash_of({"v", "1", "name", "bob", "password", kHash, "status", kHash})}) {
        const auto user = user_in(reply, "bob");
        ASSERT_FALSE(user);
        EXPECT_EQ(user.error().find("svn8Uo"), std::string::npos) << user.error();
    }
}

}  // namespace
}  // namespace gate::ctl
