#include "policy/route_text.h"

#include <gtest/gtest.h>

namespace gate::policy {
namespace {

Route gated() {
    Route route;
    route.server_names = {"a", "b"};
    route.listens = {"*:80"};
    route.location = "location /x/";
    route.kind = "prefix";
    route.accepts = {"jwt=corp"};
    route.where = "/etc/nginx/nginx.conf:7";
    return route;
}

TEST(RouteText, CallsOpenWhatLetsInWithoutACredential) {
    Route route = gated();
    EXPECT_FALSE(is_open(route));
    route.optional = true;
    EXPECT_TRUE(is_open(route));
    route.required = {{"gate_require_scope", "s", "f:1"}};
    EXPECT_FALSE(is_open(route));
    route.satisfy_any = true;
    EXPECT_TRUE(is_open(route));
    route = gated();
    route.dry_run = true;
    EXPECT_TRUE(is_open(route));
    route = gated();
    route.is_public = true;
    EXPECT_TRUE(is_open(route));
    route = gated();
    route.optional = route.refused = true;
    EXPECT_FALSE(is_open(route));
}

TEST(RouteText, CellsAreForPeople) {
    Route route = gated();
    route.methods = {"GET", "HEAD"};
    route.required = {{"gate_require_scope", "any a b", "/etc/nginx/nginx.conf:8"},
                      {"gate_require", "$x", "/other/f:9"}};
    const RouteCells cells = cells_of(route, "/etc/nginx/nginx.conf");
    EXPECT_EQ(cells.server, "a b");
    EXPECT_EQ(cells.location, "/x/");
    EXPECT_EQ(cells.methods, "GET HEAD");
    EXPECT_EQ(cells.accepted, "jwt=corp");
    EXPECT_EQ(cells.required, "scope any a b [nginx.conf:8]; $x [/other/f:9]");
    EXPECT_EQ(cells.where, "nginx.conf:7");
}

TEST(RouteText, CellsOfServersOthersAndExceptions) {
    Route route = gated();
    route.server_names.clear();
    route.kind = "server";
    route.internal = true;
    route.but = {"GET"};
    RouteCells cells = cells_of(route, "");
    EXPECT_EQ(cells.server, "*:80");
    EXPECT_EQ(cells.location, "(anything else) (internal)");
    EXPECT_EQ(cells.methods, "all but GET");
    EXPECT_EQ(cells.required, "-");
    route.others = route.refused = true;
    cells = cells_of(route, "");
    EXPECT_EQ(cells.methods, "others");
    EXPECT_EQ(cells.accepted, "refused");
}

TEST(RouteText, PageEscapesWhateverStandsInIt) {
    Route route = gated();
    const std::string evil = "<i>&\"";
    route.server_names = {evil};
    route.location = "location ~ " + evil;
    route.accepts = {evil};
    route.methods = {evil};
    route.required = {{"gate_require", evil, evil}};
    route.where = evil;
    const std::string page = routes_as_html({route}, "");
    EXPECT_EQ(page.find("<i>"), std::string::npos);
    std::size_t count = 0;
    for (std::size_t at = 0; (at = page.find("&lt;i&gt;&amp;&quot;", at)) != std::string::npos;
         ++at)
        ++count;
    EXPECT_EQ(count, 7U);
}

TEST(RouteText, PageMarksWhatIsOpen) {
    Route open = gated();
    open.is_public = true;
    const std::string page = routes_as_html({gated(), open}, "");
    EXPECT_NE(page.find("2 routes of the running configuration, 1 of them open"),
              std::string::npos);
    const std::string mark = "<strong class=\"warn\">open</strong> public";
    EXPECT_NE(page.find(mark), std::string::npos);
    EXPECT_EQ(page.find("open</strong>"), page.rfind("open</strong>"));
}

TEST(RouteText, JsonHasAllOfARow) {
    EXPECT_EQ(routes_as_json({gated()}),
              R"({"routes":[{"server":["a","b"],"listen":["*:80"],"location":"location /x/",)"
              R"("kind":"prefix","methods":[],"but":[],"other_methods":false,"refused":false,)"
              R"("public":false,"accepts":["jwt=corp"],"optional":false,"dry_run":false,)"
              R"("satisfy_any":false,"internal":false,"open":false,"required":[],)"
              R"("where":"/etc/nginx/nginx.conf:7"}]})"
              "\n");
}

}  // namespace
}  // namespace gate::policy
