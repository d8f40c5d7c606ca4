#include "policy/route_table.h"

#include <gtest/gtest.h>

namespace gate::policy {
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

}  // namespace
}  // namespace gate::policy
