#include "conftext/warnings.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/conftext/memory_files.h"

namespace gate::conftext {
namespace {

// "line text" of each warning about the http block `text`, whose first line is line 1.
std::vector<std::string> warnings(const std::string& text) {
    std::vector<std::string> all;
    for (const Warning& warning :
         check("/n.conf", memory_files({{"/n.conf", "http { " + text + "\n}\n"}}))) {
        EXPECT_EQ(warning.file, "/n.conf");
        all.push_back(std::to_string(warning.line) + " " + warning.text);
    }
    return all;
}

std::string server(const std::string& text) {
    return "server {\n" + text + "\n}";
}

const std::vector<std::string> kNone;

std::vector<std::string> one_return(const std::string& shown, const std::string& level) {
    return {"2 \"" + shown + "\" in " + level +
            " is answered before the gate decides: any credential, even a forged one, gets it; "
            "answer from a file or an upstream, or write \"gate off;\" there"};
}

std::vector<std::string> one_open(const std::string& shown, const std::string& level) {
    return {"2 \"" + shown + "\" in " + level +
            " is open to everyone, while other locations of the server have a gate; write "
            "\"gate ..;\" there, or \"gate off;\" if it is meant to be public"};
}

std::vector<std::string> one_cache(const std::string& key,
                                   const std::string& level = "location /") {
    return {"2 \"proxy_cache z\" is in force in " + level + ", which has a gate, with the key \"" +
            key +
            "\": one caller's answer is served to others; add $gate_subject or $gate_token_id to "
            "\"proxy_cache_key\", or write \"proxy_cache off;\" there"};
}

TEST(ReturnWarning, NamesABodyInAGatedLocation) {
    EXPECT_EQ(warnings(server("location /x { gate jwt; return 200 'a b'; }")),
              one_return("return 200 a b", "location /x"));
}

TEST(ReturnWarning, NamesASuccessWithoutABody) {
    EXPECT_EQ(warnings(server("gate key=a; location = /x { return 204; }")),
              one_return("return 204", "location = /x"));
}

TEST(ReturnWarning, NamesTheTextOfARefusal) {
    EXPECT_EQ(warnings(server("gate jwt; location / { return 404 no; }")),
              one_return("return 404 no", "location /"));
}

TEST(ReturnWarning, LetsRedirectsAndBareRefusalsBe) {
    EXPECT_EQ(warnings(server("gate jwt; location / { return 301 https://$host$request_uri; }"
                              "location /a { return 403; } location /b { return 444; }"
                              "location /c { return https://x; } location /d { return 308 /y; }"
                              "location /e { return 302; }")),
              kNone);
}

TEST(ReturnWarning, CoversIfBlocksAndServers) {
    EXPECT_EQ(warnings(server("location / { gate jwt; if ($a) { return 200 x; } }")),
              one_return("return 200 x", "if in location /"));
    EXPECT_EQ(warnings(server("return 200; gate jwt;")), one_return("return 200", "server"));
    EXPECT_EQ(warnings(server("if ($a) { return 200; } gate jwt;")),
              one_return("return 200", "if in server"));
}

TEST(ReturnWarning, FollowsInheritanceFromHttpAndItsEnd) {
    EXPECT_EQ(warnings("gate jwt; " + server("location / { location /n { return 200; } }")),
              one_return("return 200", "location /n"));
    EXPECT_EQ(warnings("gate jwt; " + server("gate off; location / { return 200; }")), kNone);
    EXPECT_EQ(warnings("gate jwt; " + server("location / { gate off; return 200; }")), kNone);
    EXPECT_EQ(warnings(server("location / { gate off; location /n { gate jwt; return 200; } }")),
              one_return("return 200", "location /n"));
}

TEST(ReturnWarning, IsSilentWithoutAGate) {
    EXPECT_EQ(warnings(server("location / { return 200 x; }")), kNone);
}

TEST(OpenProxyWarning, NamesEachWayToAnUpstream) {
    for (const std::string pass :
         {"proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass"}) {
        EXPECT_EQ(warnings(server("location / { " + pass + " up; } location /a { gate jwt; }")),
                  one_open(pass + " up", "location /"));
    }
}

TEST(OpenProxyWarning, IsSilencedByGateOffThereOrAbove) {
    const std::string gated = " location /a { gate jwt; }";
    EXPECT_EQ(warnings(server("location / { gate off; proxy_pass x; }" + gated)), kNone);
    EXPECT_EQ(warnings(server("gate off; location / { proxy_pass x; }" + gated)), kNone);
}

TEST(OpenProxyWarning, IsSilentInAServerWithoutGates) {
    EXPECT_EQ(warnings(server("location / { proxy_pass x; }") +
                       " server { location / { gate jwt; proxy_pass x; } }"),
              kNone);
    EXPECT_EQ(warnings(server("gate off; location / { proxy_pass x; }")), kNone);
}

TEST(OpenProxyWarning, FindsGatesAtAnyDepthOfTheServer) {
    EXPECT_EQ(
        warnings(server("location / { proxy_pass x; location /a { location /b { gate key; } } }")),
        one_open("proxy_pass x", "location /"));
    EXPECT_EQ(warnings(server("location / { proxy_pass x; limit_except GET { gate key; } }")),
              one_open("proxy_pass x", "location /"));
}

TEST(OpenProxyWarning, CoversIfAndLimitExcept) {
    const std::string gated = " location /a { gate jwt; }";
    EXPECT_EQ(warnings(server("location / { if ($a) { proxy_pass x; } }" + gated)),
              one_open("proxy_pass x", "if in location /"));
    EXPECT_EQ(warnings(server("location / { limit_except GET { proxy_pass x; } }" + gated)),
              one_open("proxy_pass x", "limit_except in location /"));
}

TEST(OpenProxyWarning, CoversRegexNestedAndNamedLocations) {
    const std::string gated = " location /a { gate jwt; }";
    EXPECT_EQ(warnings(server("location ~ \\.php$ { fastcgi_pass x; }" + gated)),
              one_open("fastcgi_pass x", "location ~ \\.php$"));
    EXPECT_EQ(warnings(server("location @app { proxy_pass x; }" + gated)),
              one_open("proxy_pass x", "location @app"));
}

const std::string kCached = "proxy_cache z; gate jwt; proxy_pass x; ";

TEST(CacheWarning, NamesTheDefaultKey) {
    EXPECT_EQ(warnings(server("location / { " + kCached + "}")),
              one_cache("$scheme$proxy_host$request_uri"));
}

TEST(CacheWarning, NamesAnExplicitKeyWithoutIdentity) {
    EXPECT_EQ(warnings(server("location / { " + kCached + "proxy_cache_key $uri$arg_page; }")),
              one_cache("$uri$arg_page"));
}

TEST(CacheWarning, AcceptsEachIdentityInTheKey) {
    for (const char* variable : {"$gate_subject", "${gate_key_id}", "$gate_token_id",
                                 "$GATE_CLIENT", "$gate_claim_tenant", "$gate_roles"}) {
        EXPECT_EQ(
            warnings(server("location / { " + kCached + "proxy_cache_key $uri" + variable + "; }")),
            kNone)
            << variable;
    }
}

TEST(CacheWarning, CountsTheCredentialItselfOnlyWhereItIsNotStripped) {
    const std::string key = "proxy_cache_key $uri$http_authorization; ";
    EXPECT_EQ(warnings(server("location / { " + kCached + key + "}")),
              one_cache("$uri$http_authorization"));
    EXPECT_EQ(warnings(server("location / { " + kCached + key + "gate_strip off; }")), kNone);
}

TEST(CacheWarning, FollowsMapSetAndClaimVariables) {
    const std::string use = server("location / { " + kCached + "proxy_cache_key $uri$who; }");
    EXPECT_EQ(warnings("map $gate_subject $who { default 1; } " + use), kNone);
    EXPECT_EQ(warnings("map $uri $who { default $gate_key_id; } " + use), kNone);
    EXPECT_EQ(warnings("gate_claim $who org.id; " + use), kNone);
    EXPECT_EQ(warnings(server("location / { set $who a$gate_client; " + kCached +
                              "proxy_cache_key $uri$who; }")),
              kNone);
    EXPECT_EQ(warnings("map $uri $who { default 1; } " + use), one_cache("$uri$who"));
    EXPECT_EQ(warnings("map $who $other { default 1; } map $other $who { default 1; } " + use),
              one_cache("$uri$who"));
}

TEST(CacheWarning, AcceptsNoCacheForIdentifiedCallers) {
    EXPECT_EQ(warnings(server("location / { " + kCached + "proxy_no_cache $gate_subject; }")),
              kNone);
    EXPECT_EQ(warnings(server("location / { " + kCached + "proxy_no_cache $arg_x; }")),
              one_cache("$scheme$proxy_host$request_uri"));
}

TEST(CacheWarning, IsSilentWhereNothingIsCachedOrNothingIsGated) {
    EXPECT_EQ(warnings(server("location / { gate jwt; proxy_pass x; proxy_cache off; }")), kNone);
    EXPECT_EQ(warnings(server("proxy_cache z; location / { gate jwt; root x; }")), kNone);
    EXPECT_EQ(warnings(server("proxy_cache z; location / { gate jwt; fastcgi_pass x; }")), kNone);
    EXPECT_EQ(warnings(server("gate off; proxy_cache z; location / { proxy_pass x; }")), kNone);
    EXPECT_EQ(warnings(server("proxy_cache z; location / { proxy_cache off; gate jwt; "
                              "proxy_pass x; }")),
              kNone);
}

TEST(CacheWarning, InheritsCacheAndKey) {
    EXPECT_EQ(warnings(server("proxy_cache z; proxy_cache_key $uri; gate jwt; location / { "
                              "proxy_pass x; }")),
              one_cache("$uri"));
    EXPECT_EQ(warnings(server("proxy_cache z; proxy_cache_key $uri; gate jwt; location / { "
                              "proxy_pass x; proxy_cache_key $gate_subject; }")),
              kNone);
}

TEST(CacheWarning, KnowsTheOtherUpstreamModules) {
    const std::vector<std::string> found =
        warnings(server("location / { gate jwt; fastcgi_pass x; fastcgi_cache z; "
                        "fastcgi_cache_key $uri; }"));
    ASSERT_EQ(found.size(), 1U);
    EXPECT_NE(found[0].find("\"fastcgi_cache_key\", or write \"fastcgi_cache off;\""),
              std::string::npos);
}

std::vector<std::string> one_query(const std::string& source) {
    return {"2 \"proxy_cache z\" is in force in location / together with \"gate_source " + source +
            "\": what differs only in the argument shares one entry of the cache; use a header or "
            "a cookie, or write \"proxy_cache off;\" there"};
}

const std::string kKeyed = kCached + "proxy_cache_key $uri$gate_subject; ";

TEST(QuerySourceWarning, NamesSourceAndCache) {
    EXPECT_EQ(warnings(server("location / { " + kKeyed + "gate_source jwt arg=token; }")),
              one_query("jwt arg=token"));
    EXPECT_EQ(warnings(server("gate_source jwt header=X; gate_source jwt arg=t; location / { " +
                              kKeyed + "}")),
              one_query("jwt arg=t"));
}

TEST(QuerySourceWarning, LooksOnlyAtSourcesOfAcceptedKinds) {
    EXPECT_EQ(warnings(server("location / { " + kKeyed + "gate_source key arg=k; }")), kNone);
    EXPECT_EQ(warnings(server("location / { proxy_cache z; proxy_cache_key $gate_key_id; gate "
                              "key=a; proxy_pass x; gate_source key arg=k; }")),
              one_query("key arg=k"));
}

TEST(QuerySourceWarning, ALevelsSourcesReplaceThoseOfThatKind) {
    EXPECT_EQ(warnings(server("gate_source jwt arg=t; location / { " + kKeyed +
                              "gate_source jwt cookie=c; }")),
              kNone);
    EXPECT_EQ(warnings(server("gate_source jwt arg=t; location / { " + kKeyed +
                              "gate_source key cookie=c; }")),
              one_query("jwt arg=t"));
}

TEST(ConfWarnings, SaysThingsOnce) {
    EXPECT_EQ(warnings(server("proxy_cache z; gate jwt; location / { proxy_pass x; if ($a) { "
                              "proxy_pass y; } }"))
                  .size(),
              2U);
    EXPECT_EQ(
        warnings(server("proxy_cache z; gate jwt; location / { proxy_pass x; proxy_pass y; }"))
            .size(),
        1U);
}

TEST(ConfWarnings, NameTheIncludedFile) {
    const auto found = check("/e/n.conf", memory_files({{"/e/n.conf", "http { include s/*; }"},
                                                        {"/e/s/a",
                                                         "server {\n gate jwt;\n"
                                                         "location / { return 200; }\n}"}}));
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].file, "/e/s/a");
    EXPECT_EQ(found[0].line, 3U);
}

TEST(ConfWarnings, AreNoneForWhatCannotBeRead) {
    EXPECT_TRUE(check("/none", memory_files({})).empty());
    EXPECT_TRUE(
        check("/n", memory_files({{"/n", "http { server { gate jwt; return 200; }"}})).empty());
    EXPECT_TRUE(
        check("/n", memory_files({{"/n", "stream { server { gate jwt; return 200; } }"}})).empty());
}

TEST(MetricsWarning, NamesALocationThatIsOpenToEveryone) {
    const std::string rest =
        " tells everyone the names of servers, issuers and stores and what is refused; write "
        "\"gate ..;\" or \"allow ..; deny all;\" there";
    EXPECT_EQ(warnings(server("location /m { gate_metrics; }")),
              std::vector<std::string>{"2 \"gate_metrics\" in location /m" + rest});
    EXPECT_EQ(warnings(server("gate jwt; location /m { gate off; gate_metrics json; }")),
              std::vector<std::string>{"2 \"gate_metrics json\" in location /m" + rest});
    EXPECT_EQ(warnings(server("auth_basic x; location /m { auth_basic off; gate_metrics; }")),
              std::vector<std::string>{"2 \"gate_metrics\" in location /m" + rest});
    EXPECT_EQ(warnings(server("listen 127.0.0.1:1; listen 80; location /m { gate_metrics; }")),
              std::vector<std::string>{"2 \"gate_metrics\" in location /m" + rest});
}

TEST(HealthWarning, NamesALocationThatIsOpenToEveryone) {
    const std::string rest =
        " in location /h tells everyone what the gate stands on, or what it leaves open; write "
        "\"gate ..;\" or \"allow ..; deny all;\" there";
    for (const std::string form : {"page", "json", "routes"}) {
        EXPECT_EQ(warnings(server("location /h { gate_health " + form + "; }")),
                  std::vector<std::string>{"2 \"gate_health " + form + "\"" + rest});
        EXPECT_EQ(warnings(server("location /h { gate jwt; gate_health " + form + "; }")), kNone);
    }
    EXPECT_EQ(warnings(server("location /h { gate_health ready; }")), kNone);
}

TEST(MetricsWarning, LeavesRestrictedLocationsAlone) {
    for (const char* text :
         {"gate jwt; location /m { gate_metrics; }", "location /m { gate key; gate_metrics; }",
          "location /m { allow 10.0.0.1; deny all; gate_metrics; }",
          "deny all; location /m { gate_metrics; }", "auth_basic x; location /m { gate_metrics; }",
          "location /m { auth_request /a; gate_metrics; }",
          "location /m { internal; gate_metrics; }",
          "listen 127.0.0.1:8081; listen [::1]:8081; location /m { gate_metrics; }",
          "listen unix:/run/m; location /m { gate_metrics; }", "location /m { stub_status; }"}) {
        EXPECT_EQ(warnings(server(text)), kNone) << text;
    }
}

}  // namespace
}  // namespace gate::conftext
