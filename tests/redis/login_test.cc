#include "redis/login.h"

#include <gtest/gtest.h>

#include "tests/redis/replies.h"

namespace gate::redis {
namespace {

using namespace test;
using Kind = ErrorKind;

std::shared_ptr<const Secret> secret(std::string_view text) {
    return std::make_shared<const Secret>(bytes_of(text));
}

Login full() {
    return {"gate", secret("s3cr3t"), 2, "nginx-gate"};
}

std::string commands(const Login& login, std::size_t count) {
    std::string out;
    EXPECT_EQ(append_login(out, login), count);
    return out;
}

const Reply kOk = status("OK");
const Reply kMaster = array({string("master"), integer(7), array({})});

Result<Role, LoginProblem> read(const std::vector<Reply>& replies, const Login& login = full()) {
    return read_login(login, replies);
}

std::string problem(const std::vector<Reply>& replies, const Login& login = full()) {
    const auto role = read(replies, login);
    return role ? "none" : role.error().text;
}

Kind kind(const std::vector<Reply>& replies) {
    const auto role = read(replies);
    EXPECT_FALSE(role);
    return role ? Kind::kOther : role.error().kind;
}

TEST(AppendLogin, AsksForWhatIsConfigured) {
    EXPECT_EQ(commands({}, 1), "*1\r\n$4\r\nROLE\r\n");
    EXPECT_EQ(commands(full(), 4),
              "*3\r\n$4\r\nAUTH\r\n$4\r\ngate\r\n$6\r\ns3cr3t\r\n"
              "*2\r\n$6\r\nSELECT\r\n$1\r\n2\r\n"
              "*3\r\n$6\r\nCLIENT\r\n$7\r\nSETNAME\r\n$10\r\nnginx-gate\r\n"
              "*1\r\n$4\r\nROLE\r\n");
    EXPECT_EQ(commands({"", secret("p"), 0, ""}, 2),
              "*2\r\n$4\r\nAUTH\r\n$1\r\np\r\n*1\r\n$4\r\nROLE\r\n");
    EXPECT_EQ(commands({"", nullptr, 1, ""}, 2),
              "*2\r\n$6\r\nSELECT\r\n$1\r\n1\r\n*1\r\n$4\r\nROLE\r\n");
    EXPECT_EQ(commands({"", nullptr, 15, ""}, 2),
              "*2\r\n$6\r\nSELECT\r\n$2\r\n15\r\n*1\r\n$4\r\nROLE\r\n");
    EXPECT_EQ(commands({"nobody", nullptr, 0, "n"}, 2),
              "*3\r\n$6\r\nCLIENT\r\n$7\r\nSETNAME\r\n$1\r\nn\r\n*1\r\n$4\r\nROLE\r\n");
}

TEST(AppendLogin, MakesRoomForAllBeforeThePassword) {
    // Growing on the way would leave copies of the password in freed memory.
    constexpr std::size_t kFrames = 256;
    const Login large{std::string(300, 'u'), secret(std::string(1000, 'p')), 4294967295u,
                      std::string(300, 'n')};
    std::string out = "x";
    append_login(out, large);
    EXPECT_LE(out.size(), 1 + 300 + 1000 + 300 + kFrames);
    std::string little;
    append_login(little, {"", secret("p"), 0, ""});
    EXPECT_GE(little.capacity(), kFrames);
}

TEST(ReadLogin, TellsTheRole) {
    const auto role = [](const Reply& reply) { return read({kOk, kOk, kOk, reply}); };
    EXPECT_EQ(*role(kMaster), Role::kMaster);
    EXPECT_EQ(*role(array({string("slave"), string("10.0.0.1"), integer(6379), string("connected"),
                           integer(9)})),
              Role::kReplica);
    EXPECT_EQ(*role(array({string("slave"), string("10.0.0.1"), integer(6379), string("connect"),
                           integer(-1)})),
              Role::kReplica);
    EXPECT_EQ(*role(array({string("sentinel"), array({string("mymaster")})})), Role::kSentinel);
    EXPECT_EQ(*read({kMaster}, {}), Role::kMaster);
}

TEST(ReadLogin, RefusesAnythingElseForARole) {
    for (const Reply& reply :
         {nil(), kOk, integer(1), string("master"), array({}), array({status("master")}),
          array({string("Master")}), array({string("replica")}), array({integer(1)}),
          array({array({string("master")})}), array({nil()})}) {
        EXPECT_EQ(problem({reply}, {}), "ROLE: the reply is none to this command") << encode(reply);
    }
    EXPECT_EQ(problem({error("NOPERM no permissions to run the 'role' command")}, {}),
              "ROLE: NOPERM no permissions to run the 'role' command");
    EXPECT_EQ(kind({kOk, kOk, kOk, error("NOPERM x")}), Kind::kPermission);
    EXPECT_EQ(kind({kOk, kOk, kOk, nil()}), Kind::kOther);
    EXPECT_EQ(kind({kOk, kOk, kOk, error("LOADING x")}), Kind::kLoading);
}

TEST(ReadLogin, NeedsOneReplyToEachCommand) {
    EXPECT_EQ(problem({}), "0 replies to the 4 commands of a login");
    EXPECT_EQ(problem({kOk, kOk, kMaster}), "3 replies to the 4 commands of a login");
    EXPECT_EQ(problem({kOk, kOk, kOk, kMaster, kMaster}), "5 replies to the 4 commands of a login");
    EXPECT_EQ(problem({kOk, kMaster}, {}), "2 replies to the 1 commands of a login");
}

TEST(ReadLogin, TellsWhyThePasswordIsNoGood) {
    const Reply wrong = error("WRONGPASS invalid username-password pair or user is disabled.");
    const Reply noauth = error("NOAUTH Authentication required.");
    EXPECT_EQ(problem({wrong, noauth, noauth, noauth}),
              "AUTH: WRONGPASS invalid username-password pair or user is disabled.");
    EXPECT_EQ(kind({wrong, noauth, noauth, noauth}), Kind::kAuthentication);
    const Reply unset = error(
        "ERR AUTH <password> called without any password configured for the default user. Are you "
        "sure your configuration is correct?");
    EXPECT_EQ(kind({unset, kOk, kOk, kMaster}), Kind::kAuthentication);
    EXPECT_EQ(problem({integer(1), kOk, kOk, kMaster}), "AUTH: the reply is none to this command");
    EXPECT_EQ(problem({status("QUEUED"), kOk, kOk, kMaster}),
              "AUTH: the reply is none to this command");
    EXPECT_EQ(problem({string("OK"), kOk, kOk, kMaster}),
              "AUTH: the reply is none to this command");
}

TEST(ReadLogin, NeedsTheDatabase) {
    EXPECT_EQ(problem({kOk, error("ERR DB index is out of range"), kOk, kMaster}),
              "SELECT: ERR DB index is out of range");
    EXPECT_EQ(problem({kOk, error("NOPERM x"), kOk, kMaster}), "SELECT: NOPERM x");
    EXPECT_EQ(problem({error("ERR SELECT is not allowed in cluster mode"), kMaster},
                      {"", nullptr, 3, ""}),
              "SELECT: ERR SELECT is not allowed in cluster mode");
    EXPECT_EQ(problem({kOk, nil(), kOk, kMaster}), "SELECT: the reply is none to this command");
}

TEST(ReadLogin, GoesWithoutAName) {
    for (const char* text :
         {"ERR unknown command 'CLIENT'", "ERR unknown subcommand 'SETNAME'. Try CLIENT HELP.",
          "ERR Client names cannot contain spaces, newlines or special characters.",
          "NOPERM User gate has no permissions to run the 'client|setname' command"}) {
        EXPECT_TRUE(read({kOk, kOk, error(text), kMaster})) << text;
    }
    EXPECT_EQ(problem({kOk, kOk, error("NOAUTH x"), kMaster}), "CLIENT SETNAME: NOAUTH x");
    EXPECT_EQ(problem({kOk, kOk, error("LOADING x"), kMaster}), "CLIENT SETNAME: LOADING x");
    EXPECT_EQ(problem({kOk, kOk, error("ERR invalid password"), kMaster}),
              "CLIENT SETNAME: ERR invalid password");
    EXPECT_EQ(problem({kOk, kOk, error("DENIED x"), kMaster}), "CLIENT SETNAME: DENIED x");
    EXPECT_EQ(problem({kOk, kOk, error("ERRATIC x"), kMaster}), "CLIENT SETNAME: ERRATIC x");
    EXPECT_EQ(problem({kOk, kOk, string("ERR x"), kMaster}),
              "CLIENT SETNAME: the reply is none to this command");
    EXPECT_EQ(problem({kOk, kOk, string("NOPERM x"), kMaster}),
              "CLIENT SETNAME: the reply is none to this command");
}

TEST(ReadLogin, EscapesAndCutsErrors) {
    EXPECT_EQ(problem({kOk, error("ERR \x1b[31m\"\\"), kOk, kMaster}),
              "SELECT: ERR \\x1b[31m\\x22\\x5c");
    EXPECT_EQ(problem({kOk, error("ERR " + std::string(200, 'x')), kOk, kMaster}),
              "SELECT: ERR " + std::string(96, 'x'));
}

TEST(ReadLogin, NeverTellsThePassword) {
    const auto said = [](const std::string& password, const std::string& text) {
        return problem({error(text), kMaster}, {"", secret(password), 0, ""});
    };
    EXPECT_EQ(said("s3cr3t", "ERR unknown command 'AUTH', with args beginning with: 's3cr3t' "),
              "AUTH: ERR unknown command 'AUTH'");
    // Cut short by the server.
    EXPECT_EQ(said("s3cr3t", "ERR unknown command `AUTH`, with args beginning with: `s3"),
              "AUTH: ERR unknown command `AUTH`");
    EXPECT_EQ(said("s3cr3t", "ERR what is AUTH s3cr3t"),
              "AUTH: an error that repeats the password");
    EXPECT_EQ(said("s3cr3t", "s3cr3t"), "AUTH: an error that repeats the password");
    EXPECT_EQ(said("s3cr3t-and-more", "ERR bad argument s3cr"),
              "AUTH: an error that repeats the password");
    EXPECT_EQ(said("s3", "ERR bad argument s3"), "AUTH: an error that repeats the password");
    EXPECT_EQ(said("s3cr3t", "ERR bad argument s3c"), "AUTH: ERR bad argument s3c");
    EXPECT_EQ(said("", "ERR no"), "AUTH: ERR no");
    // Texts of Redis itself that hold what happens to be a password.
    EXPECT_EQ(said("pass", "WRONGPASS invalid username-password pair"),
              "AUTH: WRONGPASS invalid username-password pair");
}

}  // namespace
}  // namespace gate::redis
