#include "redis/reply_scanner.h"

#include <gtest/gtest.h>

#include "tests/redis/outcome.h"

// Through ReplyReader, which shows that hiredis agrees with what the scanner lets through.
namespace gate::redis {
namespace {

using namespace std::literals;
using namespace test;

TEST(ReplyScanner, ReadsIntegersOf64BitsExactly) {
    EXPECT_TRUE(good(":9223372036854775807\r\n"));
    EXPECT_TRUE(good(":-9223372036854775808\r\n"));
    for (const char* octets :
         {":9223372036854775808", ":-9223372036854775809", ":18446744073709551616",
          ":92233720368547758070", ":-99999999999999999999999", "$9223372036854775808",
          "*99999999999999999999"}) {
        EXPECT_EQ(problem(octets), "a number that 64 bits do not hold") << octets;
    }
    const struct {
        const char* octets;
        const char* octet;
    } cases[] = {
        {":\r\n", "\\x0d"}, {":-\r\n", "\\x0d"}, {":+1\r\n", "+"},      {":01\r\n", "1"},
        {":00\r\n", "0"},   {":-0\r\n", "0"},    {":-01\r\n", "0"},     {":1a\r\n", "a"},
        {": 1\r\n", " "},   {":1 \r\n", " "},    {":1-\r\n", "-"},      {":--1\r\n", "-"},
        {":1.0\r\n", "."},  {":1\n", "\\x0a"},   {":/\r\n", "/"},       {"::\r\n", ":"},
        {"$\r\n", "\\x0d"}, {"$+1\r\n", "+"},    {"$01\r\nx\r\n", "1"}, {"$-01\r\n", "0"},
        {"$abc\r\n", "a"},  {"*\r\n", "\\x0d"},  {"*02\r\n", "2"},      {"*-0\r\n", "0"},
        {"$?\r\n", "?"},
    };
    for (const auto& [octets, octet] : cases) {
        EXPECT_EQ(problem(octets), "\"" + std::string(octet) + "\" in a number") << octets;
    }
}

TEST(ReplyScanner, RefusesNegativeLengthsButOne) {
    EXPECT_EQ(problem("$-2\r\n"), "a string of -2 octets");
    EXPECT_EQ(problem("*-2\r\n"), "an array of -2 elements");
    EXPECT_EQ(problem("$-10\r\n"), "a string of -10 octets");
    EXPECT_EQ(problem("*-11\r\n"), "an array of -11 elements");
    EXPECT_EQ(problem("$-9223372036854775808\r\n"), "a string of -9223372036854775808 octets");
    EXPECT_EQ(problem("*-9223372036854775808\r\n"), "an array of -9223372036854775808 elements");
}

TEST(ReplyScanner, RefusesLinesThatDoNotEndInCrLf) {
    for (const char* octets : {"+OK\n", "+\n", "-ERR\n", "+a\nb\r\n"}) {
        EXPECT_EQ(problem(octets), "a line that ends without CR") << octets;
    }
    for (const char* octets : {"+a\rb\r\n", "+\r\r\n", "-\rx", ":1\r1", "$-1\r\r\n", "*0\rx"}) {
        EXPECT_EQ(problem(octets), "a CR within a line") << octets;
    }
}

TEST(ReplyScanner, RefusesStringsWithoutTheirEnd) {
    for (const char* octets : {"$2\r\nabXX", "$2\r\nabX", "$2\r\nab\rX", "$2\r\nab\n", "$0\r\nx",
                               "$1\r\nab\r\n", "$0\r\n+OK\r\n", "*1\r\n$1\r\nab"}) {
        EXPECT_EQ(problem(octets), "a string that is longer than announced") << octets;
    }
    EXPECT_EQ(outcome("$5\r\nab\r\n"), " waits behind 8");
}

TEST(ReplyScanner, RefusesWhatIsNoReplyOfResp2) {
    const struct {
        std::string_view octets;
        const char* octet;
    } cases[] = {
        {"HTTP/1.1 400 Bad Request\r\n\r\n", "H"},
        {"SSH-2.0-OpenSSH\r\n", "S"},
        {"\x15\x03\x03\0\x02\x02\x28"sv, "\\x15"},
        {"\x16\x03\x01", "\\x16"},
        {"\r\n", "\\x0d"},
        {"\n", "\\x0a"},
        {"\0"sv, "\\x00"},
        {" +OK\r\n", " "},
        {"PING\r\n", "P"},
        // RESP3
        {"_\r\n", "_"},
        {"#t\r\n", "#"},
        {",1.5\r\n", ","},
        {"(1\r\n", "("},
        {"!3\r\nERR\r\n", "!"},
        {"=7\r\ntxt:abc\r\n", "="},
        {"%1\r\n+a\r\n:1\r\n", "%"},
        {"~0\r\n", "~"},
        {"|1\r\n", "|"},
        {">2\r\n+a\r\n+b\r\n", ">"},
        {".\r\n", "."},
        {"*2\r\n:1\r\n_\r\n", "_"},
    };
    for (const auto& [octets, octet] : cases) {
        EXPECT_EQ(problem(octets), "\"" + std::string(octet) + "\" where a reply begins") << octets;
    }
}

TEST(ReplyScanner, TakesRepliesOfTheLimitAndNoLonger) {
    const ReplyLimits limits{.octets = 20};
    EXPECT_TRUE(good("+" + std::string(17, 'x') + "\r\n", limits));
    EXPECT_TRUE(good("$13\r\n" + std::string(13, 'x') + "\r\n", limits));
    EXPECT_TRUE(good("*3\r\n:1\r\n$2\r\nab\r\n*0\r\n", limits));
    const std::string longer = "a reply of more than 20 octets";
    EXPECT_EQ(problem("+" + std::string(18, 'x') + "\r\n", limits), longer);
    EXPECT_EQ(problem("-" + std::string(20, 'x'), limits), longer);
    EXPECT_EQ(problem("*4\r\n:11\r\n:22\r\n:33\r\n:4", limits), longer);
    EXPECT_EQ(problem("$14\r\n", limits),
              "a string of 14 octets; at most 20 are taken for a reply");
    EXPECT_EQ(problem("*2\r\n+12345\r\n$3\r\n", limits),
              "a string of 3 octets; at most 20 are taken for a reply");
}

TEST(ReplyScanner, CountsTheOctetsOfEachReplyAnew) {
    const ReplyLimits limits{.octets = 5};
    EXPECT_EQ(outcome(times("+OK\r\n", 3), limits), "<+OK\r\n><+OK\r\n><+OK\r\n> waits behind 0");
    EXPECT_EQ(outcome("+OK\r\n+OKO\r\n", limits),
              "<+OK\r\n> broken: a reply of more than 5 octets");
    EXPECT_TRUE(good("$-1\r\n", limits));
    EXPECT_EQ(problem("$0\r\n\r\n", limits),
              "a string of 0 octets; at most 5 are taken for a reply");
}

TEST(ReplyScanner, TakesALastOctetAtTheLimitOnly) {
    // Neither waiting for more than the limit nor stopping short of it.
    for (const std::string_view octets :
         {"+abc\r\n"sv, ":123\r\n"sv, "$0\r\n\r\n"sv, "*1\r\n+\r\n"sv}) {
        EXPECT_TRUE(good(octets, {.octets = octets.size()})) << octets;
        EXPECT_NE(problem(octets, {.octets = octets.size() - 1}).substr(0, 4), "none") << octets;
        EXPECT_EQ(outcome(octets.substr(0, octets.size() - 1), {.octets = octets.size()}),
                  " waits behind " + std::to_string(octets.size() - 1));
    }
}

TEST(ReplyScanner, TakesArraysOfTheLimitAndNoLonger) {
    const ReplyLimits limits{.elements = 3};
    EXPECT_TRUE(good("*3\r\n:1\r\n:2\r\n:3\r\n", limits));
    EXPECT_TRUE(good("*3\r\n*3\r\n:1\r\n:2\r\n:3\r\n*0\r\n*1\r\n:1\r\n", limits));
    EXPECT_EQ(problem("*4\r\n", limits), "an array of 4 elements; at most 3 are taken");
    EXPECT_EQ(problem("*1\r\n*4\r\n", limits), "an array of 4 elements; at most 3 are taken");
    EXPECT_EQ(problem("*2147483647\r\n"),
              "an array of 2147483647 elements; at most 65536 are taken");
    EXPECT_EQ(problem("*4294967297\r\n"),
              "an array of 4294967297 elements; at most 65536 are taken");
    EXPECT_EQ(problem("*9223372036854775807\r\n"),
              "an array of 9223372036854775807 elements; at most 65536 are taken");
    EXPECT_TRUE(good("*65536\r\n" + times("+\r\n", 65536)));
    EXPECT_EQ(problem("*65537\r\n"), "an array of 65537 elements; at most 65536 are taken");
}

TEST(ReplyScanner, TakesNestingOfTheLimitAndNoDeeper) {
    EXPECT_TRUE(good(times("*1\r\n", 5) + ":1\r\n"));
    EXPECT_TRUE(good(times("*1\r\n", 4) + "*0\r\n"));
    EXPECT_EQ(problem(times("*1\r\n", 6)), "an array in more than 4 arrays");
    EXPECT_EQ(problem(times("*1\r\n", 5) + "*"), "an array in more than 4 arrays");
    EXPECT_TRUE(good("*1\r\n:1\r\n", {.depth = 0}));
    EXPECT_EQ(problem("*1\r\n*0\r\n", {.depth = 0}), "an array in more than 0 arrays");
    // Depth is that of open arrays: many beside each other are no nesting.
    EXPECT_TRUE(good("*100\r\n" + times("*1\r\n*1\r\n:1\r\n", 100), {.depth = 2}));
    // As deep as hiredis goes, whatever is asked for.
    EXPECT_TRUE(good(times("*1\r\n", 8) + ":1\r\n", {.depth = 1000}));
    EXPECT_EQ(problem(times("*1\r\n", 9), {.depth = 1000}), "an array in more than 7 arrays");
    EXPECT_EQ(problem(times("*1\r\n", 5000) + ":1\r\n"), "an array in more than 4 arrays");
}

TEST(ReplyScanner, BreaksOnALengthWithoutWaitingForTheOctets) {
    for (const char* octets : {"$1048577\r\n", "$2147483647\r\n", "$4294967296\r\n",
                               "$9223372036854775807\r\n", "*2\r\n:1\r\n$1048576\r\n"}) {
        EXPECT_TRUE(problem(octets).ends_with("at most 1048576 are taken for a reply")) << octets;
    }
    const std::string most = "$1048564\r\n" + std::string(1048564, 'x') + "\r\n";
    ASSERT_EQ(most.size(), std::size_t{1} << 20);
    EXPECT_TRUE(good(most));
    EXPECT_EQ(problem("$1048565\r\n"),
              "a string of 1048565 octets; at most 1048576 are taken for a reply");
    const std::size_t all = static_cast<std::size_t>(-1);
    EXPECT_EQ(problem("$9223372036854775807\r\n", {.octets = all, .elements = all}),
              "a string of 9223372036854775807 octets; at most 1073741824 are taken for a reply");
}

}  // namespace
}  // namespace gate::redis
