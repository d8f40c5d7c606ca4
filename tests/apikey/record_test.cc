#include "apikey/record.h"

#include <gtest/gtest.h>

#include "tests/apikey/sample_record.h"

namespace gate::apikey {
namespace {

const std::string kBase = "\"id\":\"k1\",\"digest\":\"" + kDigest + "\"";

jose::Document parse(const std::string& json) {
    const auto document = jose::Document::parse(json);
    EXPECT_TRUE(document) << json;
    return document ? *document : jose::Document();
}

Result<Record, std::string> read(const std::string& json) {
    return Record::from_json(parse(json).root());
}

Result<Record, std::string> read_with(const std::string& members) {
    return read("{" + kBase + ",\"status\":\"active\"" + (members.empty() ? "" : ",") + members +
                "}");
}

std::string error_of(const Result<Record, std::string>& record) {
    return record ? "" : record.error();
}

TEST(Record, ReadsEveryMember) {
    const auto record = read("{\"v\":1," + kBase +
                             ",\"name\":\"CI\",\"owner\":\"team-a\",\"scopes\":[\"a:*\",\"b\"],"
                             "\"roles\":[\"r\"],\"groups\":[\"g\",\"h\"],"
                             "\"status\":\"suspended\",\"created\":\"2026-01-02T03:04:05Z\",\"not_"
                             "before\":5,\"expires\":\"2030-01-01T00:00:00Z\","
                             "\"rate\":\"100r/m\",\"burst\":7,\"cidr\":[\"10.0.0.0/"
                             "8\",\"::1\"],\"labels\":{\"plan\":\"gold\"}}");
    ASSERT_TRUE(record) << record.error();
    expect_sample(*record);
    EXPECT_EQ(record->name, "CI");
    EXPECT_EQ(record->not_before, 5);
    EXPECT_EQ(record->expires, 1893456000);
    ASSERT_EQ(record->networks.size(), 2u);
    EXPECT_EQ(record->networks[1].text(), "::1/128");
}

TEST(Record, WritesWhatItReads) {
    const std::string full = "{" + kBase +
                             ",\"name\":\"C\\\"I\",\"owner\":\"team-a\",\"scopes\":[\"a:*\",\"b\"],"
                             "\"roles\":[\"r\"],\"groups\":[\"g\",\"h\"],"
                             "\"status\":\"revoked\",\"created\":\"2026-01-02T03:04:05Z\",\"not_"
                             "before\":\"1970-01-01T00:00:05Z\","
                             "\"expires\":\"9999-12-31T23:59:59Z\",\"rate\":\"1r/"
                             "s\",\"burst\":7,\"cidr\":[\"10.0.0.0/8\",\"::1/128\"],"
                             "\"labels\":{\"plan\":\"gold\"}}";
    const auto record = read(full);
    ASSERT_TRUE(record) << record.error();
    EXPECT_EQ(record->to_json(), full);
    const std::string least = "{" + kBase + ",\"status\":\"active\"}";
    const auto bare = read(least);
    ASSERT_TRUE(bare);
    EXPECT_EQ(bare->to_json(), least);
    EXPECT_EQ(bare->created, 0);
    EXPECT_FALSE(bare->expires);
    EXPECT_FALSE(bare->not_before);
    EXPECT_FALSE(bare->burst);
    EXPECT_FALSE(bare->labels.root().present());
}

TEST(Record, WritesAnInstantOfZero) {
    const auto record = read_with("\"expires\":0,\"not_before\":0");
    ASSERT_TRUE(record);
    EXPECT_EQ(record->to_json(),
              "{" + kBase +
                  ",\"status\":\"active\",\"not_before\":\"1970-01-01T00:00:00Z\","
                  "\"expires\":\"1970-01-01T00:00:00Z\"}");
}

TEST(Record, NeedsIdDigestAndStatus) {
    EXPECT_EQ(error_of(read("{\"digest\":\"" + kDigest + "\",\"status\":\"active\"}")),
              "member \"id\" is missing; expected 1 to 64 letters, digits, '.', '_' and '-'");
    EXPECT_EQ(error_of(read("{\"id\":\"k1\",\"status\":\"active\"}")),
              "member \"digest\" is missing; expected 64 lower-case hexadecimal digits");
    EXPECT_EQ(error_of(read("{" + kBase + "}")),
              "member \"status\" is missing; expected active, suspended or revoked");
}

TEST(Record, RefusesUnknownMembers) {
    EXPECT_EQ(error_of(read_with("\"expire\":1")),
              "member \"expire\" is unknown; known are v, id, digest, name, owner, scopes, roles, "
              "groups, status, created, "
              "not_before, expires, rate, burst, cidr, labels");
}

TEST(Record, RefusesAnythingButAnObject) {
    const jose::Document document = parse("{\"a\":[]}");
    EXPECT_EQ(error_of(Record::from_json(document.root().member("a"))),
              "a record must be an object");
    EXPECT_EQ(error_of(Record::from_json(jose::Value())), "a record must be an object");
}

TEST(Record, KnowsItsVersionOnly) {
    EXPECT_EQ(error_of(read_with("\"v\":2")), "member \"v\" is 2; expected 1");
    EXPECT_EQ(error_of(read_with("\"v\":\"1\"")), "member \"v\" is \"1\"; expected 1");
    EXPECT_EQ(error_of(read_with("\"v\":null")), "member \"v\" is null; expected 1");
    EXPECT_TRUE(read_with("\"v\":1"));
}

TEST(Record, KnowsThreeStates) {
    for (KeyStatus status : {KeyStatus::kActive, KeyStatus::kSuspended, KeyStatus::kRevoked}) {
        const auto record =
            read("{" + kBase + ",\"status\":\"" + std::string(name_of(status)) + "\"}");
        ASSERT_TRUE(record);
        EXPECT_EQ(record->status, status);
    }
    EXPECT_EQ(error_of(read("{" + kBase + ",\"status\":\"on\"}")),
              "member \"status\" is \"on\"; expected active, suspended or revoked");
    for (const char* bad : {"\"Active\"", "\"\"", "null", "true", "0", "[\"active\"]"}) {
        EXPECT_FALSE(read("{" + kBase + ",\"status\":" + bad + "}")) << bad;
    }
    EXPECT_EQ(name_of(static_cast<KeyStatus>(9)), "");
}

TEST(Record, NeedsADigestOf64LowerCaseDigits) {
    const auto with = [](const std::string& digest) {
        return read("{\"id\":\"k\",\"status\":\"active\",\"digest\":\"" + digest + "\"}");
    };
    EXPECT_TRUE(with(std::string(64, 'f')));
    EXPECT_TRUE(with(std::string(32, '0') + std::string(32, '9')));
    for (char bad : {'A', 'F', 'g', '`', '/', ':', ' '})
        EXPECT_FALSE(with(std::string(63, '0') + bad)) << bad;
    EXPECT_FALSE(with(std::string(63, '0')));
    EXPECT_FALSE(with(std::string(65, '0')));
    EXPECT_FALSE(with(""));
}

TEST(Record, NeedsAPlainId) {
    const auto with = [](const std::string& id) {
        return read("{\"id\":\"" + id + "\",\"status\":\"active\",\"digest\":\"" + kDigest + "\"}");
    };
    EXPECT_TRUE(with("azAZ09._-"));
    EXPECT_TRUE(with(std::string(64, 'a')));
    EXPECT_FALSE(with(std::string(65, 'a')));
    for (const char* bad : {"", "a b", "a/b", "a:b", "a@", "[", "`", "{", "\xc3\xa9", "a\\u0000"}) {
        EXPECT_FALSE(with(bad)) << bad;
    }
}

TEST(Record, RefusesControlCharactersAndLongTexts) {
    for (const std::string member : {"name", "owner"}) {
        EXPECT_TRUE(read_with("\"" + member + "\":\" ~\xc3\xa9\""));
        EXPECT_TRUE(read_with("\"" + member + "\":\"\""));
        EXPECT_TRUE(read_with("\"" + member + "\":\"" + std::string(1024, 'a') + "\""));
        EXPECT_FALSE(read_with("\"" + member + "\":\"" + std::string(1025, 'a') + "\""));
        for (const char* bad : {"\\n", "\\u0000", "\\u001f", "\\u007f"}) {
            EXPECT_FALSE(read_with("\"" + member + "\":\"a" + bad + "\"")) << bad;
        }
        EXPECT_EQ(error_of(read_with("\"" + member + "\":7")),
                  "member \"" + member + "\" is 7; expected a string without control characters");
        EXPECT_FALSE(read_with("\"" + member + "\":null"));
    }
}

TEST(Record, NeedsArraysOfNonEmptyStrings) {
    for (const std::string member : {"scopes", "roles", "groups"}) {
        EXPECT_TRUE(read_with("\"" + member + "\":[]"));
        EXPECT_EQ(
            error_of(read_with("\"" + member + "\":\"a b\"")),
            "member \"" + member +
                "\" is \"a b\"; expected an array of non-empty strings without control characters");
        for (const char* bad :
             {"[\"\"]", "[\"a\",1]", "[[\"a\"]]", "{}", "null", "[\"a\\r\"]", "7"}) {
            EXPECT_FALSE(read_with("\"" + member + "\":" + bad)) << bad;
        }
    }
}

TEST(Record, CutsLongValuesInErrors) {
    const std::string error = error_of(read_with("\"rate\":\"" + std::string(100, 'x') + "\""));
    EXPECT_EQ(error, "member \"rate\" is \"" + std::string(59, 'x') +
                         "..; expected a rate such as \"100r/m\"");
    const std::string whole = error_of(read_with("\"rate\":\"" + std::string(58, 'x') + "\""));
    EXPECT_EQ(whole, "member \"rate\" is \"" + std::string(58, 'x') +
                         "\"; expected a rate such as \"100r/m\"");
}

TEST(Record, ReadsInstantsAsTextOrSeconds) {
    for (const std::string member : {"created", "not_before", "expires"}) {
        EXPECT_TRUE(read_with("\"" + member + "\":0"));
        EXPECT_TRUE(read_with("\"" + member + "\":253402300799"));
        EXPECT_EQ(error_of(read_with("\"" + member + "\":253402300800")),
                  "member \"" + member +
                      "\" is 253402300800; expected an instant such as \"2030-01-31T00:00:00Z\"");
        for (const char* bad :
             {"-1", "1.5", "\"tomorrow\"", "\"2030-01-31\"", "null", "true", "\"\"", "\"0\""}) {
            EXPECT_FALSE(read_with("\"" + member + "\":" + bad)) << bad;
        }
    }
}

TEST(Record, ReadsRatesAsTheLimitsWriteThem) {
    for (const char* good : {"1r/s", "100r/m", "999999999r/h", "5r/d"}) {
        EXPECT_TRUE(read_with("\"rate\":\"" + std::string(good) + "\"")) << good;
    }
    for (const char* bad : {"", "r/s", "0r/s", "01r/s", "1r/w", "1r/", "1", "1000000000r/s",
                            "-1r/s", "1 r/s", "1r/s ", "1R/S"}) {
        EXPECT_FALSE(read_with("\"rate\":\"" + std::string(bad) + "\"")) << bad;
    }
}

TEST(Record, LimitsTheBurst) {
    EXPECT_TRUE(read_with("\"burst\":1"));
    EXPECT_TRUE(read_with("\"burst\":1000000000"));
    EXPECT_EQ(error_of(read_with("\"burst\":0")),
              "member \"burst\" is 0; expected an integer from 1 to 1000000000");
    for (const char* bad : {"-1", "1000000001", "1.5", "\"1\"", "null"}) {
        EXPECT_FALSE(read_with(std::string("\"burst\":") + bad)) << bad;
    }
}

TEST(Record, RefusesBrokenAndEmptyNetworkLists) {
    EXPECT_EQ(error_of(read_with("\"cidr\":[\"10.0.0.1/8\"]")),
              "member \"cidr\" is [\"10.0.0.1/8\"]; expected an array of networks such as "
              "\"192.0.2.0/24\" (no address bits "
              "behind the prefix)");
    for (const char* bad : {"[]", "\"10.0.0.0/8\"", "[\"10.0.0.0/8\",7]", "[\"\"]", "null", "{}"}) {
        EXPECT_FALSE(read_with(std::string("\"cidr\":") + bad)) << bad;
    }
}

TEST(Record, NeedsAnObjectOfLabels) {
    EXPECT_TRUE(read_with("\"labels\":{}"));
    EXPECT_EQ(error_of(read_with("\"labels\":[1]")),
              "member \"labels\" is [1]; expected an object");
    EXPECT_FALSE(read_with("\"labels\":\"x\""));
    EXPECT_FALSE(read_with("\"labels\":null"));
}

Reason reason(const Record& record, Seconds now, Bytes address = {}) {
    const auto status = check_record(record, now, address);
    return status ? Reason::kNone : status.error();
}

TEST(CheckRecord, RefusesSuspendedAndRevokedKeys) {
    Record record;
    EXPECT_EQ(reason(record, 100), Reason::kNone);
    record.status = KeyStatus::kSuspended;
    EXPECT_EQ(reason(record, 100), Reason::kKeySuspended);
    record.status = KeyStatus::kRevoked;
    EXPECT_EQ(reason(record, 100), Reason::kKeyRevoked);
    record.status = static_cast<KeyStatus>(7);
    EXPECT_EQ(reason(record, 100), Reason::kKeyRevoked);
}

TEST(CheckRecord, HoldsToTheSecond) {
    Record record;
    record.not_before = 100;
    record.expires = 200;
    EXPECT_EQ(reason(record, 99), Reason::kKeyNotYet);
    EXPECT_EQ(reason(record, 100), Reason::kNone);
    EXPECT_EQ(reason(record, 199), Reason::kNone);
    EXPECT_EQ(reason(record, 200), Reason::kKeyExpired);
    EXPECT_EQ(reason(record, 201), Reason::kKeyExpired);
    record.expires = 0;
    record.not_before.reset();
    EXPECT_EQ(reason(record, 0), Reason::kKeyExpired);
}

TEST(CheckRecord, AsksForAnAddressOfItsNetworks) {
    Record record;
    record.networks = {*Network::parse("10.0.0.0/8"), *Network::parse("192.0.2.1")};
    const ByteVector inside{10, 1, 2, 3};
    const ByteVector listed{192, 0, 2, 1};
    const ByteVector outside{192, 0, 2, 2};
    EXPECT_EQ(reason(record, 1, inside), Reason::kNone);
    EXPECT_EQ(reason(record, 1, listed), Reason::kNone);
    EXPECT_EQ(reason(record, 1, outside), Reason::kKeyAddress);
    EXPECT_EQ(reason(record, 1, {}), Reason::kKeyAddress);
}

}  // namespace
}  // namespace gate::apikey
