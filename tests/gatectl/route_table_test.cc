#include "gatectl/route_table.h"

#include "gatectl/configuration.h"
#include "tests/gatectl/tool.h"

namespace gate::ctl {
namespace {

constexpr const char* kGate =
    R"("gate":{"on":true,"accepts":[{"kind":"jwt","names":["corp","other"]}],"optional":false})";

// A dump of one server with these locations.
std::vector<Route> routes(const std::string& locations) {
    const auto dump = jose::Document::parse(
        R"({"version":1,"servers":[{"names":["a"],"listens":["*:80"],"locations":[)" + locations +
        "]}]}");
    EXPECT_TRUE(dump) << locations;
    return dump ? routes_of(dump->root()) : std::vector<Route>();
}

std::string location(const std::string& name, const std::string& rest,
                     const std::string& kind = "prefix") {
    return R"({"kind":")" + kind + R"(","name":")" + name + R"(","where":"f:1",)" + rest + "}";
}

std::string line(const std::string& text, const std::string& methods, const std::string& where) {
    return R"({"directive":"gate_require_scope","text":")" + text + R"(","methods":[)" + methods +
           R"(],"where":")" + where + "\"}";
}

std::string required(const Route& route) {
    std::string text;
    for (const RouteLine& one : route.required) text += one.text + "@" + one.where + " ";
    return text;
}

std::string methods(const Route& route) {
    std::string text;
    for (const std::string& method : route.methods) text += method + " ";
    return text;
}

TEST(RoutesOf, CallsALocationWithoutAGatePublic) {
    const auto rows = routes(location("location /", R"("gate":{"on":false})"));
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_TRUE(rows[0].is_public);
    EXPECT_EQ(rows[0].server_names, std::vector<std::string>{"a"});
    EXPECT_EQ(rows[0].where, "f:1");
}

TEST(RoutesOf, NamesWhatIsAccepted) {
    const auto rows = routes(location("location /", kGate));
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_FALSE(rows[0].is_public);
    EXPECT_EQ(rows[0].accepts, std::vector<std::string>{"jwt=corp,other"});
    EXPECT_TRUE(rows[0].methods.empty());
}

TEST(RoutesOf, SplitsMethodsByWhatTheyRequire) {
    const auto rows =
        routes(location("location /", std::string(kGate) + R"(,"requirements":[)" +
                                          line("r methods=GET", R"("GET")", "f:2") + "," +
                                          line("w methods=POST,PUT", R"("POST","PUT")", "f:3") +
                                          "," + line("all", "", "f:4") + "]"));
    ASSERT_EQ(rows.size(), 3u);
    EXPECT_EQ(methods(rows[0]), "GET HEAD ");
    EXPECT_EQ(required(rows[0]), "r@f:2 all@f:4 ");
    EXPECT_EQ(methods(rows[1]), "POST PUT ");
    EXPECT_EQ(required(rows[1]), "w@f:3 all@f:4 ");
    EXPECT_TRUE(rows[2].others);
    EXPECT_TRUE(rows[2].refused);
}

// Several directives may stand on one line of a file.
TEST(RoutesOf, SplitsMethodsWhoseRequirementsStandOnOneLine) {
    const auto rows =
        routes(location("location /", std::string(kGate) + R"(,"requirements":[)" +
                                          line("r methods=GET", R"("GET")", "f:2") + "," +
                                          line("w methods=POST", R"("POST")", "f:2") + "]"));
    ASSERT_EQ(rows.size(), 3u);
    EXPECT_EQ(required(rows[0]), "r@f:2 ");
    EXPECT_EQ(methods(rows[1]), "POST ");
    EXPECT_EQ(required(rows[1]), "w@f:2 ");
}

TEST(RoutesOf, KeepsOneRowWhereNoLineNamesMethods) {
    const auto rows =
        routes(location("location /", std::string(kGate) + R"(,"requirements":[)" +
                                          line("a", "", "f:2") + "," + line("b", "", "f:3") + "]"));
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(required(rows[0]), "a@f:2 b@f:3 ");
    EXPECT_FALSE(rows[0].refused);
}

TEST(RoutesOf, DividesMethodsBetweenALocationAndItsLimitExcept) {
    const auto rows =
        routes(location("location /", R"("only":["GET","HEAD"],"gate":{"on":false})") + "," +
               location("limit_except in location /",
                        std::string(R"("except":["GET","HEAD"],)") + kGate, "limit_except"));
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(methods(rows[0]), "GET HEAD ");
    EXPECT_TRUE(rows[0].is_public);
    EXPECT_EQ(rows[1].but, (std::vector<std::string>{"GET", "HEAD"}));
    EXPECT_FALSE(rows[1].is_public);
}

TEST(RoutesOf, LeavesOutMethodsThatCannotReachALimitExcept) {
    const auto rows =
        routes(location("limit_except in location /",
                        std::string(R"("except":["GET","HEAD"],)") + kGate +
                            R"(,"requirements":[)" + line("r", R"("GET","POST")", "f:2") + "]",
                        "limit_except"));
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(methods(rows[0]), "POST ");
    EXPECT_TRUE(rows[1].refused);
}

TEST(RoutesOf, ShowsTheServersOwnLevelOnlyWhereARequestCanEndThere) {
    const std::string server = location("", R"("gate":{"on":false})", "server");
    const std::string gated = "," + location("location /x", kGate);
    EXPECT_EQ(routes(server + gated).size(), 2u);
    EXPECT_EQ(routes(server + gated)[0].kind, "server");
    EXPECT_EQ(routes(server + "," + location("location /", kGate)).size(), 1u);
    EXPECT_EQ(routes(server + "," + location("location ^~ /", kGate)).size(), 1u);
    EXPECT_EQ(routes(server + "," + location("location = /", kGate, "exact")).size(), 2u);
}

TEST(RoutesOf, LeavesOutIfBlocks) {
    EXPECT_EQ(routes(location("if in location /", kGate, "if")).size(), 0u);
}

TEST(RoutesOf, SeesWhatLetsOthersIn) {
    const auto rows = routes(
        location("location /",
                 R"("satisfy":"any","dry_run":true,"internal":true,)"
                 R"("gate":{"on":true,"accepts":[{"kind":"key","names":["k"]}],"optional":true})"));
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_TRUE(rows[0].satisfy_any && rows[0].dry_run && rows[0].internal && rows[0].optional);
}

TEST(FindBlock, NamesTheDeclaredOnes) {
    const auto dump = jose::Document::parse(R"({"l":[{"name":"a"},{"name":"b"}]})");
    const auto list = dump->root().member("l");
    EXPECT_TRUE(find_block(list, "issuer", "b"));
    const auto missing = find_block(list, "issuer", "c");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error(), "no issuer \"c\"; declared: a, b");
}

TEST(IssuerFrom, TakesEveryRule) {
    const auto block = jose::Document::parse(
        R"({"name":"n","issuer":"i","algorithms":["ES256"],"audience_off":false,"audiences":["a"],)"
        R"("types":["t"],"leeway_exp":1,"leeway_nbf":2,"leeway_iat":3,"require_exp":false,)"
        R"("max_lifetime":9,"require_claims":["c"],"subject_claim":["s"],"client_claim":["cc"],)"
        R"("scope_claim":["sc"],"role_claim":["rc"],"group_claim":["gc"]})");
    const jose::Issuer issuer = issuer_from(block->root());
    EXPECT_EQ(issuer.iss, "i");
    EXPECT_EQ(issuer.algorithms, crypto::AlgSet{crypto::Alg::kES256});
    EXPECT_EQ(issuer.audiences, std::vector<std::string>{"a"});
    EXPECT_EQ(issuer.types, std::vector<std::string>{"t"});
    EXPECT_EQ(issuer.leeway_exp, 1);
    EXPECT_EQ(issuer.leeway_nbf, 2);
    EXPECT_EQ(issuer.leeway_iat, 3);
    EXPECT_FALSE(issuer.require_exp);
    EXPECT_EQ(issuer.max_lifetime, 9);
    EXPECT_EQ(issuer.require_claims, std::vector<std::string>{"c"});
    EXPECT_EQ(issuer.subject_claim, jose::ClaimNames{"s"});
    EXPECT_EQ(issuer.client_claim, jose::ClaimNames{"cc"});
    EXPECT_EQ(issuer.scope_claim, jose::ClaimNames{"sc"});
    EXPECT_EQ(issuer.role_claim, jose::ClaimNames{"rc"});
    EXPECT_EQ(issuer.group_claim, jose::ClaimNames{"gc"});
}

TEST(IssuerFrom, KeepsTheIssuerOff) {
    const auto block = jose::Document::parse(R"({"name":"n"})");
    EXPECT_EQ(issuer_from(block->root()).iss, std::nullopt);
}

class ConfigurationCommand : public DirectoryTest {
protected:
    // A program in nginx's place.
    std::string fake(const std::string& script) const {
        const std::string file = write("nginx", "#!/bin/sh\n" + script + "\n");
        std::filesystem::permissions(file, std::filesystem::perms::owner_all);
        return file;
    }
};

TEST_F(ConfigurationCommand, ShowsNginxsErrors) {
    const auto result = tool({"routes", "--nginx", fake("echo 'nginx: [emerg] bad'; exit 1")});
    EXPECT_EQ(result.status, kRefused);
    EXPECT_NE(result.err.find("nginx: [emerg] bad"), std::string::npos);
}

TEST_F(ConfigurationCommand, RefusesAConfigurationWithoutTheModule) {
    const auto result = tool({"routes", "--nginx", fake("exit 0")});
    EXPECT_EQ(result.status, kRefused);
    EXPECT_NE(result.err.find("told nothing of nginx-gate"), std::string::npos);
}

TEST_F(ConfigurationCommand, RefusesADumpOfAnotherVersion) {
    const auto result = tool({"routes", "--nginx", fake("echo '{\"version\":2}' >\"$GATE_DUMP\"")});
    EXPECT_EQ(result.status, kRefused);
    EXPECT_NE(result.err.find("another version"), std::string::npos);
}

TEST_F(ConfigurationCommand, PassesFileAndPrefixAndLeavesNothingBehind) {
    const auto result =
        tool({"routes", "--json", "-c", "/some/conf", "-p", "/pre", "--nginx",
              fake("stat -c '%a' \"$GATE_DUMP\" >" + path("mode") + "; echo \"$GATE_DUMP\" >" +
                   path("dump") + "; echo \"$@\" >" + path("args") +
                   "; echo '{\"version\":1,\"servers\":[]}' >\"$GATE_DUMP\"")});
    EXPECT_EQ(result.status, kDone) << result.err;
    EXPECT_EQ(result.out, "{\"routes\":[]}\n");
    EXPECT_EQ(read("args"), "-t -c /some/conf -p /pre/\n");
    EXPECT_EQ(read("mode"), "600\n");
    std::string dump = read("dump");
    dump.pop_back();
    EXPECT_FALSE(std::filesystem::exists(dump));
}

TEST_F(ConfigurationCommand, ExplainNeedsExactlyOneBlock) {
    EXPECT_EQ(tool({"explain"}, "x").status, kUsage);
    EXPECT_EQ(tool({"explain", "--issuer", "a", "--store", "b"}, "x").status, kUsage);
    const std::string nginx = fake("echo '{\"version\":1}' >\"$GATE_DUMP\"");
    const auto unknown = tool({"explain", "--issuer", "a", "--nginx", nginx}, "x");
    EXPECT_EQ(unknown.status, kRefused);
    EXPECT_EQ(unknown.err, "gatectl: no issuer \"a\"; declared: none\n");
    EXPECT_EQ(tool({"explain", "--issuer", "a", "--nginx", nginx}, "").status, kUsage);
}

}  // namespace
}  // namespace gate::ctl
