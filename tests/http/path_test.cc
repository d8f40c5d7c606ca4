#include "http/path.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/vectors.h"

namespace gate::http {
namespace {

using std::string_literals::operator""s;

TEST(ClimbingSegment, LeavesAloneWhatLeadsNowhere) {
    for (std::string_view path : {"/", "", "*", "/.", "/a/./b", "/%2E/", "//", "/a//b", "/a..b"}) {
        EXPECT_FALSE(has_climbing_segment(path)) << path;
    }
}

TEST(ClimbingSegment, SeesWhatNginxResolvesAndAnApplicationMayNot) {
    for (std::string_view path : {"/a/../b", "/..", "/%2e%2e/", "/a/..%2fb", "/a%2f..%2fb", "/.%2e",
                                  "../%41", "%2e%2e", "/a/%2e%2e%2f%2e%2e/b", "/a/..", ".."}) {
        EXPECT_TRUE(has_climbing_segment(path)) << path;
    }
}

TEST(ClimbingSegment, AcceptsPathsWithoutDotSegments) {
    for (std::string_view path :
         {"/a;b=c/d", "/a\\b",    "/a%5cb",        "/%252f",    "/a%252e",
          "/...",     "/...;x",   "/a..;b",        "/;..",      "/;/",
          "/a;../b",  "/..a;b",   "/%25",          "/%",        "/%2",
          "/%%",      "/a%25%32", "/%c3%a9/",      "/\xc3\xa9", "/%e2%82%ac",
          "/%c0",     "/%c0%aex", "/%f0%9f%98%80", "/.%c0",     "/x%c0%ae%c0%ae/",
          "/.x\\",    "/%zz;",    "/%2g;",         "/%g2;",     "/%2G%G2;"}) {
        EXPECT_FALSE(has_climbing_segment(path)) << path;
    }
}

TEST(ClimbingSegment, SeesPathParameters) {
    for (std::string_view path : {"/a/..;/b", "/..;", "/.;x=y/", "/..;a;b", "/%2e%2e%3b/",
                                  "/..%3bx/", "/..%3B", "/.;", "/a/..;\\b"}) {
        EXPECT_TRUE(has_climbing_segment(path)) << path;
    }
}

TEST(ClimbingSegment, SeesBackslashes) {
    for (std::string_view path :
         {"/a/..\\b", "/a\\../b", "\\..", "/a\\..", "/a/..%5cb", "/a%5c../b", "/%2e%2e%5C", "/.\\",
          "/a\\.\\b", "/..%255c", "/a%5c%2e%2e"}) {
        EXPECT_TRUE(has_climbing_segment(path)) << path;
    }
}

TEST(ClimbingSegment, SeesWhatIsEncodedTwiceOrMore) {
    for (std::string_view path :
         {"/%252e%252e/", "/%252e./", "/.%252e/", "/%252e", "/%25252e%25252e", "/%25%32%65./",
          "/%%32%65./", "/%2%65./", "/%%32e.", "/a/..%252fb", "/a%252f../b", "/a%252f..",
          "/..%253b/", "/%2525252525252e."}) {
        EXPECT_TRUE(has_climbing_segment(path)) << path;
    }
}

TEST(ClimbingSegment, SeesOverlongUtf8) {
    for (std::string_view path :
         {"/%c0%ae%c0%ae/", "/%c0%ae", "/%c0%ae./", "/%C0%AE./", "/%e0%80%ae./", "/%f0%80%80%ae./",
          "/..%c0%afb", "/a%c0%af..", "/..%c1%9cb", "/..%c0%bb/", "/..%e0%81%9cb",
          "/..%f0%80%81%9cb", "/\xc0\xae./", "/..\xc0\xaf", "/%25c0%25ae./", "/\xe0\x80\xae/",
          "/\xf0\x80\x80\xae/", "/..%e0%80%afb", "/..\xc1\x9c"}) {
        EXPECT_TRUE(has_climbing_segment(path)) << path;
    }
}

TEST(ClimbingSegment, IsNotMisledByOtherSequences) {
    for (std::string_view path :
         {"/%c2%ae./",       "/%c0%2e%c0%2e/",  "/%c0%fe./",       "/%e0%80./",
          "/%e0%82%ae./",    "/%e0%a0%ae./",    "/%e0%c0%ae./",    "/%e1%80%ae./",
          "/%f0%80%82%ae./", "/%f0%81%80%ae./", "/%f0%90%80%ae./", "/%f1%80%80%ae./",
          "/%f0%80%80./",    "/%f0%80%80",      "/%e0%80",         "/%bf%ae./",
          "/%c1%ae./",       "/%e0%84%ae./",    "/%e0%88%ae./",    "/%e0%90%ae./",
          "/..\xe0\x80",     "/..\xf0\x80\x80", "/..\xc0"}) {
        EXPECT_FALSE(has_climbing_segment(path)) << path;
    }
}

// The first look goes by blocks of 16 octets.
TEST(ClimbingSegment, SeesWhatClimbsAtAnyPlaceOfALongPath) {
    for (std::string_view climbing :
         {"/../", "/..", "/%2e./", "/..;x", "\\..\\", "/\xc0\xae./", "/\xe0\x80\xae/"}) {
        for (std::size_t before = 0; before < 40; ++before) {
            for (std::size_t behind = 0; behind < 20; ++behind) {
                std::string path = "/" + std::string(before, 'a');
                path += climbing;
                EXPECT_FALSE(is_level(path)) << path;
                path += "/" + std::string(behind, 'b');
                EXPECT_TRUE(has_climbing_segment(path)) << path;
                EXPECT_FALSE(is_level(path)) << path;
            }
        }
    }
}

TEST(ClimbingSegment, NeedsNoSecondLookForOrdinaryPaths) {
    for (std::string_view path : {"", "/", "/token", "/a;b=c\\d", "/orders/2024/lines.json",
                                  "/a.b/c.d/index.html?page=2&sort=name", "/sixteen-octets-"}) {
        EXPECT_TRUE(is_level(path)) << path;
    }
}

TEST(ClimbingSegment, TakesLinearTimeForNestedEscapes) {
    std::string nested = "/%";
    for (int i = 0; i < 200000; ++i) nested += "25";
    EXPECT_FALSE(has_climbing_segment(nested));
    std::string halves = "/";
    for (int i = 0; i < 100000; ++i) halves += "%2%";
    EXPECT_FALSE(has_climbing_segment(halves));
    EXPECT_TRUE(has_climbing_segment(nested + "2e"));
}

TEST(ClimbingSegment, JudgesTheSharedVectors) {
    const test::Json tests = test::Json::load("own/http_cases.json")["tests"];
    if (!tests.present()) GTEST_SKIP() << "skipped: no vectors";
    std::vector<std::string> hidden;
    std::size_t paths = 0;
    for (std::size_t i = 0; i < tests.size(); ++i) {
        if (tests[i]["cls"].text() != "path") continue;
        const std::string raw = tests[i]["raw"].text();
        const std::size_t start = raw.find(' ') + 1;
        const std::string target = raw.substr(start, raw.find(' ', start) - start);
        ++paths;
        if (has_climbing_segment(target.substr(0, target.find('?')))) hidden.push_back(target);
    }
    EXPECT_EQ(paths, 34u);
    std::vector<std::string> expected;
    for (const char* path :
         {"/public/../admin/x", "/public/..%2fadmin/x", "/public/./../admin/x",
          "/public/..\\admin/x", "/public/%c0%ae%c0%ae/admin/x", "/public/x/../../admin/x"}) {
        expected.insert(expected.end(), 2, path);
    }
    EXPECT_EQ(hidden, expected);
}

TEST(PercentEncode, KeepsUnreservedCharactersOnly) {
    EXPECT_EQ(percent_encode("azAZ09-._~"), "azAZ09-._~");
    EXPECT_EQ(percent_encode("/?&=%+ "), "%2F%3F%26%3D%25%2B%20");
    EXPECT_EQ(percent_encode("@[`{:\xff\n"), "%40%5B%60%7B%3A%FF%0A");
    EXPECT_EQ(percent_encode("\0"s), "%00");
    EXPECT_EQ(percent_encode(""), "");
}

TEST(SafeReturnTarget, KeepsPathAndQueryOfThisHost) {
    for (std::string_view uri : {"/", "/a", "/a//b?x=https://evil.test", "/a/%2f%2f", "/a%5c?y=%0d",
                                 "/?//", "/%61", "/a?b=\xc3\xa9", "/!"}) {
        EXPECT_EQ(safe_return_target(uri), uri);
    }
}

TEST(SafeReturnTarget, BecomesTheRootWhereItCouldLeave) {
    for (std::string_view uri : {"",
                                 "a",
                                 "https://evil.test/",
                                 "//evil.test",
                                 "/\\evil.test",
                                 "\\/evil.test",
                                 "/a\\b",
                                 "/a b",
                                 "/a\tb",
                                 "/a\r\nb",
                                 "/a\x7f",
                                 "/a\x1f",
                                 "/%2fevil.test",
                                 "/%5cevil.test",
                                 "/%252fevil.test",
                                 "/%09/evil.test",
                                 "/%0d%0aX",
                                 "/%20/",
                                 "/%7f/",
                                 "?a",
                                 "*"}) {
        EXPECT_EQ(safe_return_target(uri), "/") << uri;
    }
    EXPECT_EQ(safe_return_target("/\0"s), "/");
}

TEST(SafeReturnTarget, HoldsForEveryKnownRedirectPayload) {
    const std::string file = "redirect/open_redirect_payloads.json";
    const test::Json payloads = test::Json::load(file);
    if (!payloads.present()) GTEST_SKIP() << "skipped: no vectors";
    EXPECT_EQ(payloads.size(), 418u);
    test::VectorCount count(file, payloads.size());
    for (std::size_t i = 0; i < payloads.size(); ++i) {
        const ByteVector octets = test::from_base64(payloads[i]["b64"].text());
        const std::string payload(octets.begin(), octets.end());
        ASSERT_FALSE(payload.empty());
        count.ran();
        for (const std::string& uri : {payload, "/" + payload, "/login?rd=" + payload}) {
            const std::string target = safe_return_target(uri);
            EXPECT_EQ(target.front(), '/') << uri;
            EXPECT_FALSE(target.starts_with("//")) << uri;
            EXPECT_EQ(target.find('\\'), std::string::npos) << uri;
            EXPECT_TRUE(std::none_of(target.begin(), target.end(), [](char c) {
                return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f;
            })) << uri;
            const std::string encoded = percent_encode(target);
            EXPECT_EQ(encoded.find_first_of("/\\:?&#@"), std::string::npos) << uri;
        }
    }
}

}  // namespace
}  // namespace gate::http
