#include "apikey/record_fields.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/apikey/sample_record.h"

namespace gate::apikey {
namespace {

using Map = std::map<std::string, std::string>;

const Map kLeast{{"v", "1"}, {"id", "k1"}, {"digest", kDigest}, {"status", "active"}};

Result<Record, std::string> read(const std::vector<Field>& fields) {
    return record_of_fields(fields);
}

Result<Record, std::string> read(const Map& map) {
    std::vector<Field> fields;
    for (const auto& [name, text] : map) fields.emplace_back(name, text);
    return read(fields);
}

Result<Record, std::string> read_with(const std::string& name, const std::string& text) {
    Map map = kLeast;
    map[name] = text;
    return read(map);
}

std::string problem(const std::string& name, const std::string& text) {
    const auto record = read_with(name, text);
    return record ? "none" : record.error();
}

std::string problem(const Map& map) {
    const auto record = read(map);
    return record ? "none" : record.error();
}

// The record that JSON says is the same after a stay in a hash.
void expect_round_trip(const std::string& json) {
    const auto document = jose::Document::parse(json);
    ASSERT_TRUE(document) << json;
    const auto record = Record::from_json(document->root());
    ASSERT_TRUE(record) << record.error();
    const std::vector<std::string> texts = fields_of_record(*record);
    ASSERT_EQ(texts.size() % 2, 0u);
    std::vector<Field> fields;
    for (std::size_t i = 0; i < texts.size(); i += 2) fields.emplace_back(texts[i], texts[i + 1]);
    const auto back = read(fields);
    ASSERT_TRUE(back) << back.error();
    EXPECT_EQ(back->to_json(), record->to_json());
    EXPECT_EQ(fields_of_record(*back), texts);
}

TEST(RecordOfFields, ReadsEveryField) {
    const auto record = read(Map{{"v", "1"},
                                 {"id", "k1"},
                                 {"digest", kDigest},
                                 {"name", "CI \"x\" \xc3\xa9"},
                                 {"owner", "team-a"},
                                 {"scopes", "[\"a:*\",\"b\"]"},
                                 {"roles", " [ \"r\" ] "},
                                 {"groups", "[\"g\",\"h\"]"},
                                 {"status", "suspended"},
                                 {"created", "2026-01-02T03:04:05Z"},
                                 {"not_before", "5"},
                                 {"expires", "1893456000"},
                                 {"rate", "100r/m"},
                                 {"burst", "7"},
                                 {"cidr", "[\"10.0.0.0/8\",\"::1\"]"},
                                 {"labels", "{\"plan\":\"gold\",\"n\":{\"v\":[1]}}"}});
    ASSERT_TRUE(record) << record.error();
    expect_sample(*record);
    EXPECT_EQ(record->name, "CI \"x\" \xc3\xa9");
    EXPECT_EQ(record->not_before, 5);
    EXPECT_EQ(record->expires, 1893456000);
    ASSERT_EQ(record->networks.size(), 2u);
    EXPECT_EQ(record->networks[0].text(), "10.0.0.0/8");
}

TEST(RecordOfFields, NeedsVersionIdDigestAndStatus) {
    EXPECT_EQ(problem(kLeast), "none");
    const struct {
        const char* name;
        const char* problem;
    } cases[] = {
        {"v", "field \"v\" is missing; expected 1"},
        {"id", "field \"id\" is missing; expected 1 to 64 letters, digits, '.', '_' and '-'"},
        {"digest", "field \"digest\" is missing; expected 64 lower-case hexadecimal digits"},
        {"status", "field \"status\" is missing; expected active, suspended or revoked"},
    };
    for (const auto& [name, expected] : cases) {
        Map map = kLeast;
        map.erase(name);
        EXPECT_EQ(problem(map), expected);
    }
    EXPECT_EQ(problem(Map{}), "field \"v\" is missing; expected 1");
}

TEST(RecordOfFields, KnowsItsVersionOnly) {
    for (const char* version : {"", "0", "2", "01", "1 ", "\"1\"", "1.0", "one"}) {
        EXPECT_EQ(problem("v", version), "field \"v\" is wrong; expected 1") << version;
    }
}

TEST(RecordOfFields, RefusesUnknownAndRepeatedFields) {
    EXPECT_EQ(problem("expire", "1"), "field \"expire\" is unknown");
    EXPECT_EQ(problem("", "1"), "field \"\" is unknown");
    EXPECT_EQ(problem("V", "1"), "field \"V\" is unknown");
    EXPECT_EQ(problem("a\"\n" + std::string(100, 'x'), ""),
              "field \"a\\x22\\x0a" + std::string(57, 'x') + "\" is unknown");
    std::vector<Field> fields(kLeast.begin(), kLeast.end());
    for (const auto& [name, text] : kLeast) {
        fields.emplace_back(name, text);
        const auto record = read(fields);
        ASSERT_FALSE(record);
        EXPECT_EQ(record.error(), "field \"" + name + "\" is there twice");
        fields.pop_back();
    }
    EXPECT_TRUE(read(fields));
}

TEST(RecordOfFields, NamesTheFieldAndNotItsValue) {
    const std::string secret = "s3cr3t\n; expected \"";
    for (const char* name :
         {"id", "digest", "name", "owner", "scopes", "roles", "groups", "status", "created",
          "not_before", "expires", "rate", "burst", "cidr", "labels", "v"}) {
        const std::string said = problem(name, secret);
        EXPECT_TRUE(said.starts_with("field \"" + std::string(name) + "\" is ")) << said;
        EXPECT_EQ(said.find("s3cr3t"), said.npos) << said;
    }
    EXPECT_EQ(problem("status", "on"),
              "field \"status\" is wrong; expected active, suspended or revoked");
    EXPECT_EQ(problem("rate", "often"),
              "field \"rate\" is wrong; expected a rate such as \"100r/m\"");
    EXPECT_EQ(problem("cidr", "[\"10.0.0.1/8\"]"),
              "field \"cidr\" is wrong; expected an array of networks such as \"192.0.2.0/24\" (no "
              "address bits behind the prefix)");
    EXPECT_EQ(problem("scopes", "[\"s3cr3t\",7]"),
              "field \"scopes\" is wrong; expected an array of non-empty strings without control "
              "characters");
}

TEST(RecordOfFields, TakesOneJsonValueForAList) {
    for (const char* name : {"scopes", "roles", "groups", "cidr"}) {
        const std::string said = "field \"" + std::string(name) + "\" is no JSON array";
        for (const char* bad : {"",
                                " ",
                                "a b",
                                "\"a\"",
                                "{}",
                                "null",
                                "1",
                                "[\"a\"",
                                "\"a\"]",
                                "[\"a\"]]",
                                "[\"a\"],[]",
                                "[\"a\"] x",
                                "[\"a\"],\"status\":\"active\"",
                                "[],\"value\":[]",
                                "[]}",
                                "[]},{",
                                "[],\"\":1",
                                "[] , \"roles\" : [\"admin\"]",
                                "['a']",
                                "[\"a\",]",
                                "[\"\xff\"]",
                                "[\"a\"]//"}) {
            EXPECT_EQ(problem(name, bad), said) << bad;
        }
        EXPECT_EQ(problem(name, std::string("[]\0", 3)), said);
    }
    EXPECT_EQ(problem("scopes", "\t[ ]\n"), "none");
    EXPECT_EQ(problem("labels", "{}"), "none");
    for (const char* bad : {"", "[]", "null", "\"x\"", "{", "{}}", "{},{}",
                            "{},\"status\":\"active\"", "{\"a\":1,\"a\":2}", "{}x"}) {
        EXPECT_EQ(problem("labels", bad), "field \"labels\" is no JSON object") << bad;
    }
}

TEST(RecordOfFields, TakesDeepAndLargeValuesAsFilesDo) {
    const auto nested = [](int depth) {
        return std::string(static_cast<std::size_t>(depth), '[') +
               std::string(static_cast<std::size_t>(depth), ']');
    };
    EXPECT_EQ(problem("labels", "{\"a\":" + nested(30) + "}"), "none");
    EXPECT_EQ(problem("labels", "{\"a\":" + nested(31) + "}"),
              "field \"labels\" is no JSON object");
    std::string scopes = "[\"s\"";
    for (int i = 0; i < 9999; ++i) scopes += ",\"s\"";
    const auto record = read_with("scopes", scopes + "]");
    ASSERT_TRUE(record);
    EXPECT_EQ(record->scopes.size(), 10000u);
}

TEST(RecordOfFields, TakesTextsAsTheyAre) {
    for (const char* text : {"", "1", "true", "null", "[1]", "{\"a\":1}", "\\n", "\"",
                             "a\",\"v\":2,\"b", "\\u0041", "\xe2\x82\xac"}) {
        const auto record = read_with("owner", text);
        ASSERT_TRUE(record) << record.error();
        EXPECT_EQ(record->owner, text);
    }
    for (const char* name : {"name", "owner"}) {
        for (const char* bad : {"\xff", "a\xc3", "\xed\xa0\x80", "\xc0\x80", "a\xf8z"}) {
            EXPECT_EQ(problem(name, bad), "field \"" + std::string(name) + "\" is not valid UTF-8");
        }
        EXPECT_EQ(problem(name, std::string("a\0b", 3)),
                  "field \"" + std::string(name) +
                      "\" is wrong; expected a string without control characters");
    }
    EXPECT_EQ(read_with("owner", "\xef\xbf\xbd")->owner, "\xef\xbf\xbd");
}

TEST(RecordOfFields, ReadsInstantsAsTextOrSeconds) {
    for (const std::string name : {"created", "not_before", "expires"}) {
        EXPECT_EQ(problem(name, "0"), "none");
        EXPECT_EQ(problem(name, "253402300799"), "none");
        EXPECT_EQ(problem(name, "9999-12-31T23:59:59Z"), "none");
        for (const char* bad :
             {"", " 5", "5 ", "+5", "-5", "05", "00", "5.0", "5e3", "253402300800",
              "999999999999999999", "9999999999999999999", "tomorrow", "2030-01-31",
              "123456789012345678901234567890", "\"5\"", "null"}) {
            EXPECT_EQ(problem(name, bad),
                      "field \"" + name +
                          "\" is wrong; expected an instant such as \"2030-01-31T00:00:00Z\"")
                << bad;
        }
    }
    EXPECT_EQ(read_with("expires", "2030-01-01T00:00:00Z")->expires, 1893456000);
}

TEST(RecordOfFields, LimitsTheBurst) {
    EXPECT_EQ(read_with("burst", "1")->burst, 1);
    EXPECT_EQ(read_with("burst", "1000000000")->burst, 1000000000);
    for (const char* bad : {"", "0", "01", "-1", "+1", "1.5", "1000000001", "\"1\"", "1 ", "x",
                            "99999999999999999999"}) {
        EXPECT_EQ(problem("burst", bad),
                  "field \"burst\" is wrong; expected an integer from 1 to 1000000000")
            << bad;
    }
}

TEST(FieldsOfRecord, AreWhatHsetTakes) {
    const auto record = read(Map{{"v", "1"},
                                 {"id", "k1"},
                                 {"digest", kDigest},
                                 {"status", "revoked"},
                                 {"name", "a \"b\""},
                                 {"scopes", "[ \"a\", \"b\\\"\" ]"},
                                 {"created", "5"},
                                 {"burst", "7"},
                                 {"cidr", "[\"10.0.0.0/8\"]"},
                                 {"labels", "{ \"a\" : 1 }"},
                                 {"roles", "[]"},
                                 {"owner", ""}});
    ASSERT_TRUE(record) << record.error();
    EXPECT_EQ(fields_of_record(*record),
              (std::vector<std::string>{"v",       "1",
                                        "id",      "k1",
                                        "digest",  kDigest,
                                        "name",    "a \"b\"",
                                        "scopes",  "[\"a\",\"b\\\"\"]",
                                        "status",  "revoked",
                                        "created", "1970-01-01T00:00:05Z",
                                        "burst",   "7",
                                        "cidr",    "[\"10.0.0.0/8\"]",
                                        "labels",  "{\"a\":1}"}));
}

TEST(FieldsOfRecord, ComeBackAsTheSameRecord) {
    const std::string base = "\"id\":\"k1\",\"digest\":\"" + kDigest + "\",\"status\":";
    const char* const members[] = {
        "",
        ",\"name\":\"CI\",\"owner\":\"team-a\",\"scopes\":[\"a:*\",\"b\"],\"roles\":[\"r\"],"
        "\"groups\":[\"g\",\"h\"],\"created\":\"2026-01-02T03:04:05Z\",\"not_before\":5,"
        "\"expires\":\"2030-01-01T00:00:00Z\",\"rate\":\"100r/m\",\"burst\":7,"
        "\"cidr\":[\"10.0.0.0/8\",\"::1\"],\"labels\":{\"plan\":\"gold\"}",
        ",\"created\":0,\"not_before\":0,\"expires\":0",
        ",\"expires\":\"9999-12-31T23:59:59Z\",\"created\":253402300799",
        ",\"name\":\" ~\xc3\xa9\\\"\\\\\",\"owner\":\"[1]\"",
        ",\"scopes\":[],\"roles\":[\",\",\"\\\"\",\"[]\"],\"groups\":[\"\xf0\x9f\x94\x91\"]",
        ",\"cidr\":[\"192.0.2.1\",\"2001:db8::/32\",\"0.0.0.0/0\",\"::/0\"]",
        ",\"labels\":{}",
        ",\"labels\":{\"v\":2,\"status\":\"revoked\",\"a\":[1,2.5,-3e10,true,null,{\"b\":"
        "\"\\u0000\"}]}",
        ",\"rate\":\"999999999r/h\",\"burst\":1000000000",
    };
    for (const char* status : {"active", "suspended", "revoked"}) {
        for (const char* more : members) {
            expect_round_trip("{" + base + "\"" + status + "\"" + more + "}");
        }
    }
}

}  // namespace
}  // namespace gate::apikey
