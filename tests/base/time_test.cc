#include "base/time.h"

#include <gtest/gtest.h>

#include <ctime>

namespace gate {
namespace {

TEST(Rfc3339, WritesWhatGmtimeSays) {
    for (Seconds when : {0L, 951782400L, 951868799L, 1700000000L, 4102444800L, -1L, -86400L,
                         -86401L, 1709164800L, 68169600L, -2208988800L, 32503680000L}) {
        const std::time_t time = when;
        std::tm parts{};
        gmtime_r(&time, &parts);
        char expected[40];
        std::strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%SZ", &parts);
        EXPECT_EQ(rfc3339(when), expected) << when;
        EXPECT_EQ(parse_rfc3339(expected), when);
    }
}

TEST(Rfc3339, ReadsBackEveryDayOfFourCenturies) {
    for (Seconds when = -5000000000; when < 8000000000; when += 86399) {
        EXPECT_EQ(parse_rfc3339(rfc3339(when)), when);
    }
}

TEST(Rfc3339, ClampsToYears0To9999) {
    EXPECT_EQ(rfc3339(INT64_MAX), "9999-12-31T23:59:59Z");
    EXPECT_EQ(rfc3339(INT64_MIN), "0000-01-01T00:00:00Z");
    EXPECT_EQ(parse_rfc3339("0000-01-01T00:00:00Z"), -62167219200);
}

TEST(ParseRfc3339, RefusesEveryOtherText) {
    for (const char* text : {"",
                             "2026-11-22",
                             "2026-11-22T13:49:17",
                             "2026-11-22t13:49:17Z",
                             "2026-11-22T13:49:17z",
                             "2026-11-22 13:49:17Z",
                             "2026-11-22T13:49:17.0Z",
                             "2026-11-22T13:49:17+00:00",
                             "2026/11/22T13:49:17Z",
                             "2026-00-22T13:49:17Z",
                             "2026-13-22T13:49:17Z",
                             "2026-11-00T13:49:17Z",
                             "2026-11-31T13:49:17Z",
                             "2026-02-29T13:49:17Z",
                             "1900-02-29T00:00:00Z",
                             "2026-11-22T24:00:00Z",
                             "2026-11-22T13:60:17Z",
                             "2026-11-22T13:49:60Z",
                             "202a-11-22T13:49:17Z",
                             "2026-1b-22T13:49:17Z",
                             "2026-11-2cT13:49:17Z",
                             "2026-11-22T-1:49:17Z",
                             "2026-11-22T13:x9:17Z",
                             "2026-11-22T13:49:1 Z",
                             "2026-11-22T13-49:17Z",
                             "2026-11-22T13:49-17Z",
                             "2026-11/22T13:49:17Z",
                             "2026-11-22T13:49:17ZZ"}) {
        EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
    }
    EXPECT_TRUE(parse_rfc3339("2024-02-29T13:49:17Z"));
    EXPECT_TRUE(parse_rfc3339("2000-02-29T13:49:17Z"));
}

TEST(ParseDuration, KnowsTheUnitsOfNginx) {
    EXPECT_EQ(parse_duration("0"), 0);
    EXPECT_EQ(parse_duration("17"), 17);
    EXPECT_EQ(parse_duration("90s"), 90);
    EXPECT_EQ(parse_duration("15m"), 900);
    EXPECT_EQ(parse_duration("12h"), 43200);
    EXPECT_EQ(parse_duration("30d"), 2592000);
    EXPECT_EQ(parse_duration("2w"), 1209600);
    EXPECT_EQ(parse_duration("6M"), 15552000);
    EXPECT_EQ(parse_duration("1y"), 31536000);
}

TEST(ParseDuration, RefusesEveryOtherText) {
    for (const char* text : {"", "s", "-1", "+1", "1.5h", " 1", "1 ", "1h30m", "1ms", "1x", "h1",
                             "101y", "3153600001", "99999999999999999999999", "36501d"}) {
        EXPECT_EQ(parse_duration(text), std::nullopt) << text;
    }
    EXPECT_EQ(parse_duration("100y"), 3153600000);
    EXPECT_EQ(parse_duration("3153600000"), 3153600000);
}

}  // namespace
}  // namespace gate
