#include "jose/json.h"

#include <gtest/gtest.h>
#include <jansson.h>

#include <random>
#include <string>

namespace gate::jose {
namespace {

Reason parse(std::string_view text, const JsonLimits& limits = {}) {
    const auto document = Document::parse(text, limits);
    return document ? Reason::kNone : document.error();
}

// The value of "a" in {"a": text}.
struct Member {
    explicit Member(const std::string& text)
        : document(*Document::parse("{\"a\":" + text + "}")), value(document.root().member("a")) {}
    Document document;
    Value value;
};

TEST(Json, AcceptsExactlyOneObject) {
    EXPECT_EQ(parse("{}"), Reason::kNone);
    EXPECT_EQ(parse(" \t\r\n{ } \n"), Reason::kNone);
    for (std::string_view text : {"", " ", "[]", "1", "null", "\"a\"", "{}{}", "{},", "{} x", "{",
                                  "}", "{]", "[}", "\xef\xbb\xbf{}", "//\n{}", "{/**/}", "'a'"}) {
        EXPECT_EQ(parse(text), Reason::kJsonBad) << text;
    }
    EXPECT_EQ(parse(std::string_view("{}\0", 3)), Reason::kJsonBad);
    EXPECT_EQ(parse(std::string_view("\0{}", 3)), Reason::kJsonBad);
}

TEST(Json, RefusesBrokenMembers) {
    for (const char* text :
         {R"({"a"})",        R"({"a":})",      R"({"a":1,})",  R"({,})",
          R"({a:1})",        R"({1:1})",       R"({"a" 1})",   R"({"a":1 "b":2})",
          R"({"a":1)",       R"({"a")",        R"({"a":)",     R"({"a":[1,]})",
          R"({"a":[,1]})",   R"({"a":[1 2]})", R"({"a":[1)",   R"({"a":tru})",
          R"({"a":truE})",   R"({"a":nul})",   R"({"a":NaN})", R"({"a":Infinity})",
          R"({"a":falsey})", R"({'a':1})"}) {
        EXPECT_EQ(parse(text), Reason::kJsonBad) << text;
    }
}

TEST(Json, RefusesDuplicateMembersHoweverTheyAreSpelledAndAtAnyDepth) {
    EXPECT_EQ(parse(R"({"sub":1,"sub":2})"), Reason::kJsonDup);
    EXPECT_EQ(parse(R"({"sub":1,"s\u0075b":2})"), Reason::kJsonDup);
    EXPECT_EQ(parse(R"({"":1,"":2})"), Reason::kJsonDup);
    EXPECT_EQ(parse(R"({"a":[{"b":{"c":1,"d":2,"c":3}}]})"), Reason::kJsonDup);
    EXPECT_EQ(parse(R"({"a":{"a":{"a":1}},"b":{"a":1}})"), Reason::kNone);
    std::string wide = "{";
    for (int i = 0; i < 100; ++i) wide += "\"m" + std::to_string(i) + "\":0,";
    EXPECT_EQ(parse(wide + "\"m\":0}"), Reason::kNone);
    EXPECT_EQ(parse(wide + "\"m57\":0}"), Reason::kJsonDup);
}

TEST(Json, RefusesARawNulWhereverItStands) {
    using std::string_literals::operator""s;
    for (const std::string& text :
         {"{\"a\":9\0}"s, "{\"a\":9.5\0}"s, "{\"a\":1e3\0,\"b\":2}"s, "{\"a\":[1\0]}"s,
          "{\"a\":true\0}"s, "{\"a\":1}\0"s, "\0{\"a\":1}"s, "{\"a\":\"\0\"}"s, "{\0}"s}) {
        const auto parsed = Document::parse(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error(), Reason::kJsonBad) << text;
    }
}

TEST(Json, RefusesNulInNamesAndKeepsItInValues) {
    EXPECT_EQ(parse(R"({"a\u0000":1})"), Reason::kJsonBad);
    const Member member(R"("x\u0000y")");
    EXPECT_EQ(member.value.string(), std::string_view("x\0y", 3));
}

TEST(Json, LimitsDepthMembersAndElements) {
    const JsonLimits limits{.depth = 3, .members = 2, .elements = 3};
    EXPECT_EQ(parse(R"({"a":[[]]})", limits), Reason::kNone);
    EXPECT_EQ(parse(R"({"a":[[[]]]})", limits), Reason::kJsonLimit);
    EXPECT_EQ(parse(R"({"a":{"b":{"c":{}}}})", limits), Reason::kJsonLimit);
    EXPECT_EQ(parse(R"({"a":[],"b":[[],[],[]]})", limits), Reason::kNone);
    EXPECT_EQ(parse(R"({"a":1,"b":2,"c":3})", limits), Reason::kJsonLimit);
    EXPECT_EQ(parse(R"({"a":[1,2,3]})", limits), Reason::kNone);
    EXPECT_EQ(parse(R"({"a":[1,2,3,4]})", limits), Reason::kJsonLimit);
    EXPECT_EQ(parse(R"({"a":"[[[[,,,,{{{{"})", limits), Reason::kNone);
}

TEST(Json, LimitsValuesInAll) {
    const JsonLimits limits{.values = 5};
    EXPECT_EQ(parse(R"({"a":[1,2,3]})", limits), Reason::kNone);
    EXPECT_EQ(parse(R"({"a":[1,2,3,4]})", limits), Reason::kJsonLimit);
    EXPECT_EQ(parse(R"({"a":{"b":[[[1]]]}})", limits), Reason::kJsonLimit);
    // An empty one counts as if it held something.
    EXPECT_EQ(parse(R"({"a":[],"b":1})", limits), Reason::kNone);
    EXPECT_EQ(parse(R"({"a":[],"b":[],"c":1})", limits), Reason::kJsonLimit);
    EXPECT_EQ(parse(R"({"a":"[[[[,,,,{{{{"})", limits), Reason::kNone);
    // A real number counts as three; letters and dots elsewhere do not.
    EXPECT_EQ(parse(R"({"a":1.5,"b":1})", limits), Reason::kNone);
    EXPECT_EQ(parse(R"({"a":1.5,"b":1,"c":1})", limits), Reason::kJsonLimit);
    EXPECT_EQ(parse(R"({"a":0.5,"b":1,"c":1})", limits), Reason::kJsonLimit);
    EXPECT_EQ(parse(R"({"a":9.5,"b":1,"c":1})", limits), Reason::kJsonLimit);
    EXPECT_EQ(parse(R"({"a":1e5,"b":1E5})", limits), Reason::kJsonLimit);
    EXPECT_EQ(parse(R"({"a":true,"b":false,"c":1})", limits), Reason::kNone);
    EXPECT_EQ(parse(R"({"a":true,"1.5e5":"1.5e5","c":null})", limits), Reason::kNone);
    // With more than five octets for each there may be any number.
    EXPECT_EQ(parse(R"({"a":[1     ,2     ,3     ,4     ]})", limits), Reason::kNone);
    const auto array_of = [](const std::string& element, std::size_t count) {
        std::string text = R"({"a":[)" + element;
        for (std::size_t i = 1; i < count; ++i) text += ',' + element;
        return parse(text + "]}");
    };
    EXPECT_EQ(array_of("1", 1022), Reason::kNone);
    EXPECT_EQ(array_of("1", 1023), Reason::kJsonLimit);
    EXPECT_EQ(array_of(R"("role")", 4096), Reason::kNone);
    EXPECT_EQ(array_of(R"("role")", 4097), Reason::kJsonLimit);
}

TEST(Json, AcceptsWhatTheDefaultLimitsPromise) {
    const auto nested = [](int depth) {
        const std::size_t arrays = static_cast<std::size_t>(depth) - 1;
        const std::string text = std::string(arrays, '[') + '1' + std::string(arrays, ']');
        return parse("{\"a\":" + text + "}");
    };
    EXPECT_EQ(nested(32), Reason::kNone);
    EXPECT_EQ(nested(33), Reason::kJsonLimit);
    EXPECT_EQ(nested(100000), Reason::kJsonLimit);
    const auto wide = [](int members) {
        std::string text = "{";
        for (int i = 0; i < members; ++i) {
            text += (i == 0 ? "\"m" : ",\"m") + std::to_string(i) + "\":0";
        }
        return parse(text + "}");
    };
    EXPECT_EQ(wide(256), Reason::kNone);
    EXPECT_EQ(wide(257), Reason::kJsonLimit);
}

TEST(Json, UnescapesStrings) {
    EXPECT_EQ(Member(R"("\"\\\/\b\f\n\r\t")").value.string(), "\"\\/\b\f\n\r\t");
    EXPECT_EQ(Member(R"("\u0041\u00e4\u20AC\ud83d\uDE00")").value.string(),
              "A\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
    EXPECT_EQ(Member("\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\x7f\"").value.string(),
              "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\x7f");
    EXPECT_EQ(Member(R"("a\u0041b")").value.string(), "aAb");
    EXPECT_EQ(Member("\"\"").value.string(), "");
}

TEST(Json, RefusesBrokenEscapes) {
    for (const char* text : {R"("\x")",
                             R"("\u")",
                             R"("\u12")",
                             R"("\u123)",
                             R"("\u12g4")",
                             R"("\u-123")",
                             R"("\u+123")",
                             R"("\u 123")",
                             R"("\)",
                             R"("\")",
                             R"("\ud800")",
                             R"("\ud800x")",
                             R"("\ud800\n")",
                             R"("\ud800\u0041")",
                             R"("\udc00")",
                             R"("\udc00\ud800")",
                             R"("\ud800\ud800")",
                             R"("\U0041")",
                             R"("\ud800\udbff")",
                             R"("\ud800\ue000")",
                             R"("\ud800\u")",
                             "\"a"}) {
        EXPECT_EQ(parse("{\"a\":" + std::string(text) + "}"), Reason::kJsonBad) << text;
    }
    EXPECT_EQ(parse("{\"a\":\"\\"), Reason::kJsonBad);
}

TEST(Json, RefusesControlCharactersAndBrokenUtf8) {
    for (int c = 0; c < 0x20; ++c) {
        const std::string text = std::string("{\"a\":\"x") + static_cast<char>(c) + "y\"}";
        EXPECT_EQ(parse(text), Reason::kJsonBad) << c;
    }
    for (const char* octets : {"\x80",
                               "\xbf",
                               "\xc0\x80",
                               "\xc1\xbf",
                               "\xc3",
                               "\xc3\x28",
                               "\xe0\x9f\xbf",
                               "\xe2\x82",
                               "\xe2\x28\xa1",
                               "\xe2\x82\x28",
                               "\xed\xa0\x80",
                               "\xed\xbf\xbf",
                               "\xf0\x8f\xbf\xbf",
                               "\xf0\x9f\x98",
                               "\xf0\x28\x8c\xbc",
                               "\xf0\x90\x28\xbc",
                               "\xf0\x90\x8c\x28",
                               "\xf4\x90\x80\x80",
                               "\xf5\x80\x80\x80",
                               "\xff",
                               "\xfe"}) {
        EXPECT_EQ(parse(std::string("{\"a\":\"") + octets + "\"}"), Reason::kJsonBad);
        EXPECT_EQ(parse(std::string("{\"") + octets + "\":1}"), Reason::kJsonBad);
        EXPECT_EQ(parse(std::string("{\"a\":\"") + octets), Reason::kJsonBad);
    }
    for (const char* octets : {"\xc2\x80", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                               "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
        EXPECT_EQ(Member(std::string("\"") + octets + "\"").value.string(), octets);
    }
}

TEST(JsonNumber, IsAnIntegerWhereItIsWrittenAsOne) {
    EXPECT_EQ(Member("0").value.integer(), 0);
    EXPECT_EQ(Member("-0").value.integer(), 0);
    EXPECT_EQ(Member("9223372036854775807").value.integer(), INT64_MAX);
    EXPECT_EQ(Member("-9223372036854775808").value.integer(), INT64_MIN);
    EXPECT_EQ(Member("17").value.number(), 17.0);
    EXPECT_EQ(Member("1.0").value.integer(), std::nullopt);
    EXPECT_EQ(Member("1e2").value.integer(), std::nullopt);
}

TEST(JsonNumber, IsADoubleOtherwise) {
    EXPECT_EQ(Member("1.5").value.number(), 1.5);
    EXPECT_EQ(Member("-2.5E+3").value.number(), -2500.0);
    EXPECT_EQ(Member("1e-2").value.number(), 0.01);
    EXPECT_EQ(Member("1.7976931348623157e308").value.number(), 1.7976931348623157e308);
    EXPECT_EQ(Member("5e-324").value.number(), 5e-324);
}

TEST(JsonNumber, OutsideEveryTypeIsOutOfRange) {
    for (const std::string& text :
         {std::string("9223372036854775808"), std::string("-9223372036854775809"),
          std::string("1e400"), std::string("-1e400"), std::string("1e999999999999999999999"),
          std::string("1.8e308"), std::string(400, '9'), std::string(400, '9') + ".0",
          std::string(400, '9') + "e-10", "0." + std::string(10, '0') + "1e400"}) {
        EXPECT_EQ(parse("{\"a\":" + text + "}"), Reason::kClaimRange) << text;
    }
}

TEST(JsonNumber, TooSmallForADoubleIsZero) {
    for (const std::string& text :
         {std::string("1e-400"), std::string("-1e-400"), std::string("1e-999999999999999999999"),
          "0." + std::string(400, '0') + "1", "0." + std::string(400, '0') + "1e10",
          std::string("0e999999999999"), std::string("0.0e-5")}) {
        EXPECT_EQ(Member(text).value.number(), 0.0) << text;
    }
}

TEST(JsonNumber, HasOneGrammar) {
    for (const char* text : {"+1", "01", "-01", "1.", ".1", "-.1", "1e", "1e+", "1.e1", "-", "--1",
                             "0x1", "1_0", "1,0", "00", "1e1.5", "0e", "inf", "1f"}) {
        EXPECT_NE(parse("{\"a\":" + std::string(text) + "}"), Reason::kNone) << text;
    }
}

TEST(JsonValue, AnswersNothingForAnotherKind) {
    const Value absent;
    EXPECT_EQ(absent.kind(), Value::Kind::kAbsent);
    EXPECT_FALSE(absent.present());
    EXPECT_FALSE(absent.string() || absent.integer() || absent.number() || absent.boolean());
    EXPECT_EQ(absent.size(), 0u);
    EXPECT_FALSE(absent.at(0).present() || absent.member("a").present());
    EXPECT_FALSE(absent.string_list());
    EXPECT_TRUE(absent.member_names().empty());
    EXPECT_EQ(absent.dump(), "");
    EXPECT_FALSE(Document().root().present());

    const Member object(R"({"x":true,"y":null})");
    EXPECT_EQ(object.value.size(), 2u);
    EXPECT_EQ(object.value.member("x").boolean(), true);
    EXPECT_TRUE(object.value.member("y").is(Value::Kind::kNull));
    EXPECT_FALSE(object.value.at(0).present());
    EXPECT_FALSE(object.value.string() || object.value.boolean() || object.value.string_list());
    EXPECT_EQ(object.value.member_names(), (std::vector<std::string_view>{"x", "y"}));

    const Member array("[1,\"b\"]");
    EXPECT_EQ(array.value.size(), 2u);
    EXPECT_EQ(array.value.at(1).string(), "b");
    EXPECT_FALSE(array.value.at(2).present());
    EXPECT_FALSE(array.value.member("b").present());
    EXPECT_TRUE(array.value.member_names().empty());
    EXPECT_EQ(Member("\"s\"").value.size(), 0u);
}

TEST(JsonValue, ListsStringsOnlyWhereAllAreStrings) {
    using List = std::vector<std::string_view>;
    EXPECT_EQ(Member(R"(["a","b"])").value.string_list(), (List{"a", "b"}));
    EXPECT_EQ(Member(R"("a b")").value.string_list(), (List{"a b"}));
    EXPECT_EQ(Member("[]").value.string_list(), List{});
    for (const char* text : {R"(["a",1])", R"([["a"]])", "1", "null", "{}", "true"}) {
        EXPECT_FALSE(Member(text).value.string_list()) << text;
    }
}

TEST(JsonValue, FindsTheWholeNameBeforeThePath) {
    const auto document = Document::parse(
        R"({"a.b":1,"a":{"b":2,"c":{"d":3},"e.f":4},"https://x.example/roles":["r"]})");
    const Value root = document->root();
    EXPECT_EQ(root.find("a.b").integer(), 1);
    EXPECT_EQ(root.find("a.c.d").integer(), 3);
    EXPECT_EQ(root.find("https://x.example/roles").size(), 1u);
    for (const char* path : {"a.e.f", "a.x", "x.b", "a.c.d.e", "", ".", "a.", ".a", "a..c"}) {
        EXPECT_FALSE(root.find(path).present()) << path;
    }
}

TEST(JsonDump, WritesTheSameValueCompactly) {
    const std::string text = R"({"a":[1,-2,1.5,0.25,true,false,null,"x\"\\",[],{}],"b":{"c":1.0}})";
    const auto document = Document::parse(text);
    ASSERT_TRUE(document);
    EXPECT_EQ(document->root().dump(), text);
    for (const char* number : {"0.1", "1e300", "5e-324", "-2.5e-7", "1e0"}) {
        const Member again(Member(number).value.dump());
        EXPECT_TRUE(again.value.is(Value::Kind::kReal)) << number;
        EXPECT_EQ(again.value.number(), Member(number).value.number()) << number;
    }
    EXPECT_EQ(Member("  [ 1 , 2 ] ").value.dump(), "[1,2]");
    EXPECT_EQ(Member(R"("\u00e4\u0000")").value.dump(), "\"\xc3\xa4\\u0000\"");
}

// What our limits, flags and views make of a text must agree with jansson on its own.
TEST(Json, AgreesWithJanssonOnMutatedTexts) {
    const std::string seed_text =
        R"({"iss":"https://idp.example.com","aud":["a","b\u00e9\ud83d\ude00"],"exp":4102444800,)"
        R"("n":-1.5e+3,"x":{"y":[true,false,null,{}],"z":"q\"\\\/\b\f\n\r\t"},"k":0.25})";
    constexpr std::string_view kOctets = "{}[]\",:\\ue0123456789.-+ntrfalsE \x80\xc3\xa9\x01";
    std::mt19937 random(8259);
    int accepted = 0;
    for (int round = 0; round < 5000; ++round) {
        std::string text = seed_text;
        for (std::size_t edits = 1 + random() % 3; edits > 0; --edits) {
            const std::size_t at = random() % text.size();
            const char octet = kOctets[random() % kOctets.size()];
            switch (random() % 3) {
                case 0:
                    text[at] = octet;
                    break;
                case 1:
                    text.insert(at, 1, octet);
                    break;
                default:
                    text.erase(at, 1);
            }
        }
        json_t* theirs =
            json_loadb(text.data(), text.size(), JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, nullptr);
        const auto ours = Document::parse(text);
        ASSERT_EQ(static_cast<bool>(ours), json_is_object(theirs)) << text;
        if (ours) {
            ++accepted;
            const std::string dumped = ours->root().dump();
            json_t* again = json_loadb(dumped.data(), dumped.size(), JSON_ALLOW_NUL, nullptr);
            ASSERT_TRUE(json_equal(theirs, again)) << text << '\n' << dumped;
            json_decref(again);
        }
        json_decref(theirs);
    }
    EXPECT_GT(accepted, 100);
}

}  // namespace
}  // namespace gate::jose
