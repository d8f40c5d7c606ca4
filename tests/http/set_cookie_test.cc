#include "http/set_cookie.h"

#include <gtest/gtest.h>

#include "http/token.h"

namespace gate::http {
namespace {

CookieSettings called(std::string name) {
    return {.name = std::move(name)};
}

std::string problem_of_path(std::string path) {
    return cookie_problem({.name = "a", .path = std::move(path)});
}

std::string problem_of_domain(std::string domain) {
    return cookie_problem({.name = "a", .domain = std::move(domain)});
}

TEST(Token, IsWhatHttpCallsOne) {
    std::string tokens;
    for (int c = 1; c < 256; ++c) {
        const char text[] = {static_cast<char>(c)};
        if (is_token({text, 1})) tokens += text[0];
    }
    EXPECT_EQ(tokens,
              "!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~");
    EXPECT_FALSE(is_token(""));
    EXPECT_FALSE(is_token(std::string_view("\0", 1)));
    EXPECT_TRUE(is_token("X-Api_Key"));
    EXPECT_FALSE(is_token("a b"));
}

TEST(SetCookie, SaysWhatTheSettingsSay) {
    EXPECT_EQ(set_cookie(called("sid"), "abc", 3600),
              "sid=abc; Path=/; Max-Age=3600; SameSite=Lax; Secure; HttpOnly");
    const CookieSettings other{.name = "t",
                               .path = "/api",
                               .domain = "example.com",
                               .same_site = SameSite::kStrict,
                               .secure = false};
    EXPECT_EQ(set_cookie(other, "", 1),
              "t=; Path=/api; Domain=example.com; Max-Age=1; SameSite=Strict; HttpOnly");
    EXPECT_EQ(set_cookie({.name = "t", .same_site = SameSite::kNone}, "x", std::nullopt),
              "t=x; Path=/; SameSite=None; Secure; HttpOnly");
}

TEST(SetCookie, ClearsWithMaxAgeAndAnInstantLongAgo) {
    constexpr std::string_view kCleared =
        "sid=; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; SameSite=Lax; Secure; "
        "HttpOnly";
    EXPECT_EQ(set_cookie(called("sid"), "", 0), kCleared);
    EXPECT_EQ(set_cookie(called("sid"), "", -1), kCleared);
}

TEST(SetCookie, TakesCookieOctetsOnly) {
    std::string taken;
    for (int c = 0; c < 256; ++c) {
        const char text[] = {static_cast<char>(c)};
        if (set_cookie(called("a"), {text, 1}, 1)) taken += text[0];
    }
    EXPECT_EQ(taken,
              "!#$%&'()*+-./0123456789:<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`"
              "abcdefghijklmnopqrstuvwxyz{|}~");
    EXPECT_EQ(set_cookie(called("a"), "x;y", 1), std::nullopt);
    EXPECT_EQ(set_cookie(called("a"), "x\r\ny", 1), std::nullopt);
}

TEST(SetCookie, FitsIntoABrowser) {
    const std::string most(kMaxCookie - 3, 'x');
    EXPECT_TRUE(set_cookie(called("sid"), most, 1));
    EXPECT_FALSE(set_cookie(called("sid"), most + "x", 1));
}

TEST(SameSite, HasNames) {
    for (const SameSite same_site : {SameSite::kLax, SameSite::kStrict, SameSite::kNone}) {
        EXPECT_EQ(find_same_site(name_of(same_site)), same_site);
    }
    EXPECT_EQ(find_same_site("lax"), SameSite::kLax);
    EXPECT_EQ(find_same_site("STRICT"), SameSite::kStrict);
    EXPECT_EQ(find_same_site("off"), std::nullopt);
    EXPECT_EQ(find_same_site(""), std::nullopt);
}

TEST(CookieProblem, IsNoneWhereABrowserTakesIt) {
    EXPECT_EQ(cookie_problem(called("sid")), "");
    EXPECT_EQ(cookie_problem(called("__Host-sid")), "");
    EXPECT_EQ(cookie_problem({.name = "__Secure-sid", .path = "/a", .domain = "x.org"}), "");
    EXPECT_EQ(cookie_problem({.name = "sid", .same_site = SameSite::kStrict, .secure = false}), "");
    EXPECT_EQ(cookie_problem(called("__Hostsid")), "");
}

TEST(CookieProblem, IsANameThatIsNoToken) {
    for (const char* name : {"", "a b", "a=b", "a;b", "\"a\"", "a\x7f", "\xc3\xa4"}) {
        EXPECT_EQ(cookie_problem(called(name)),
                  "the name \"" + std::string(name) +
                      "\" is none that a cookie can have; use letters, digits, '-' and '_'");
    }
    EXPECT_EQ(cookie_problem(called(std::string(2048, 'x'))), "");
    EXPECT_NE(cookie_problem(called(std::string(2049, 'x'))), "");
}

TEST(CookieProblem, IsAPathThatIsNone) {
    EXPECT_EQ(problem_of_path("a"), "the path \"a\" does not begin with '/'; write path=/a");
    EXPECT_EQ(problem_of_path(""), "the path \"\" does not begin with '/'; write path=/");
    for (const char* path : {"/a;b", "/\n", "/\x7f", "/\xc3\xa4"}) {
        EXPECT_EQ(problem_of_path(path), "the path \"" + std::string(path) +
                                             "\" has a character that no cookie's path can have; "
                                             "write it percent-encoded");
    }
    EXPECT_EQ(problem_of_path("/a b,%3b\"~"), "");
    EXPECT_EQ(problem_of_path("/" + std::string(1023, 'x')), "");
    EXPECT_NE(problem_of_path("/" + std::string(1024, 'x')), "");
}

TEST(CookieProblem, IsADomainThatIsNoHostName) {
    EXPECT_EQ(
        problem_of_domain(".example.com"),
        "the domain \".example.com\" begins with a dot; write domain=example.com, which covers "
        "the hosts below it too");
    for (const char* domain : {"a..b", "..a", ".", "a.", "-a.b", "a-.b", "a_b", "a b", "a;b",
                               "a:80", "[::1]", "\xc3\xa4.org"}) {
        EXPECT_EQ(problem_of_domain(domain),
                  "the domain \"" + std::string(domain) +
                      "\" is no host name; write one such as domain=example.com");
    }
    EXPECT_EQ(problem_of_domain("192.0.2.1"),
              "the domain \"192.0.2.1\" is an address; leave domain= out");
    EXPECT_NE(problem_of_domain("1"), "");
    for (const char* domain : {"a", "localhost", "a-b.C3.x1", "1.example", "xn--4ca.org"}) {
        EXPECT_EQ(problem_of_domain(domain), "") << domain;
    }
    const std::string label(63, 'a');
    EXPECT_EQ(problem_of_domain(label + ".b"), "");
    EXPECT_NE(problem_of_domain(label + "a.b"), "");
    const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'a');
    EXPECT_EQ(problem_of_domain(longest), "");
    EXPECT_NE(problem_of_domain(longest + "a"), "");
}

TEST(CookieProblem, IsAPrefixThatNeedsMore) {
    EXPECT_EQ(cookie_problem({.name = "__Secure-a", .secure = false}),
              "the name \"__Secure-a\" begins with __Secure-, which needs secure=on; browsers drop "
              "the cookie otherwise");
    EXPECT_EQ(cookie_problem({.name = "__Host-a", .secure = false}),
              "the name \"__Host-a\" begins with __Host-, which needs secure=on; browsers drop the "
              "cookie otherwise");
    EXPECT_EQ(cookie_problem({.name = "__Host-a", .path = "/a"}),
              "the name \"__Host-a\" begins with __Host-, which needs path=/; browsers drop the "
              "cookie otherwise");
    EXPECT_EQ(
        cookie_problem({.name = "__host-a", .domain = "example.com"}),
        "the name \"__host-a\" begins with __Host-, which needs no domain=; browsers drop the "
        "cookie otherwise");
    EXPECT_NE(cookie_problem({.name = "__SECURE-a", .secure = false}), "");
}

TEST(CookieProblem, IsAnInsecureCookieForOtherSites) {
    EXPECT_EQ(cookie_problem({.name = "a", .same_site = SameSite::kNone, .secure = false}),
              "samesite=none needs secure=on; browsers drop the cookie otherwise");
}

}  // namespace
}  // namespace gate::http
