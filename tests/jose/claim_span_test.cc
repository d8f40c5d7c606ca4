#include "jose/claim_span.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "jose/json.h"

namespace gate::jose {
namespace {

// The compact text of a value of any kind; "" for text that is none.
std::string normal(std::string_view value) {
    const auto document = Document::parse("{\"x\":" + std::string(value) + "}");
    return document ? document->root().member("x").dump() : "";
}

TEST(ClaimText, IsTheTextOfTheValueAsItStands) {
    const std::string object =
        R"( { "s" : "a b" , "n":-1.50E+3,"t":true,"z":null,"l":[ 1, "]" ],"o":{"i":"}"},"e":"" } )";
    EXPECT_EQ(claim_text(object, "s"), "\"a b\"");
    EXPECT_EQ(claim_text(object, "n"), "-1.50E+3");
    EXPECT_EQ(claim_text(object, "t"), "true");
    EXPECT_EQ(claim_text(object, "z"), "null");
    EXPECT_EQ(claim_text(object, "l"), "[ 1, \"]\" ]");
    EXPECT_EQ(claim_text(object, "o"), R"({"i":"}"})");
    EXPECT_EQ(claim_text(object, "e"), "\"\"");
    EXPECT_EQ(claim_text(object, "o.i"), "\"}\"");
}

TEST(ClaimText, IsAViewOfTheObject) {
    const std::string object = R"({"a":1,"b":"text"})";
    const std::string_view found = claim_text(object, "b");
    EXPECT_EQ(found.data(), object.data() + object.find("\"text\""));
}

TEST(ClaimText, IsEmptyWhereThereIsNothing) {
    for (const char* object : {"{}", " { } ", R"({"a":1})", R"({"a":{"c":1}})", R"({"a":["b"]})",
                               R"({"a":"b"})", R"({"ab":1,"A":1,"b":1})"}) {
        EXPECT_EQ(claim_text(object, "a.b"), "") << object;
        EXPECT_EQ(claim_text(object, ""), "") << object;
        EXPECT_EQ(claim_text(object, "."), "") << object;
        EXPECT_EQ(claim_text(object, "a."), "") << object;
        EXPECT_EQ(claim_text(object, ".a"), "") << object;
    }
}

TEST(ClaimText, TakesTheWholeNameBeforeThePath) {
    EXPECT_EQ(claim_text(R"({"a":{"b":1},"a.b":2})", "a.b"), "2");
    EXPECT_EQ(claim_text(R"({"a":{"b":1}})", "a.b"), "1");
    EXPECT_EQ(claim_text(R"({"a":{"b.c":1,"b":{"c":2}}})", "a.b.c"), "2");
    EXPECT_EQ(claim_text(R"({"a.b":{"c":1}})", "a.b.c"), "");
    EXPECT_EQ(claim_text(R"({"":1})", ""), "1");
}

TEST(ClaimText, GivesNothingWhereEscapesHideANameOnTheWay) {
    EXPECT_EQ(claim_text(R"({"\u0061":1})", "a"), "");
    EXPECT_EQ(claim_text(R"({"\u0061":1,"b":2})", "b"), "");
    EXPECT_EQ(claim_text(R"({"o":{"\u0061":1,"b":2}})", "o.b"), "");
    EXPECT_EQ(claim_text(R"({"o":{"\u0061":1},"b":2})", "b"), "2");
    EXPECT_EQ(claim_text(R"({"b":"\u0061\"}"})", "b"), R"("\u0061\"}")");
}

TEST(ClaimText, DoesNotRunPastTheEndOfWhatIsNoObject) {
    for (const std::string text :
         {"", "{", "{\"", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":\"", "{\"a\":\"\\", "{\"a\":[",
          "[1]", "{\"a\":1", "{\"a\":1,", "\"a\"", "{\"a\":}", "{,}", "}", "{\"a\":]"}) {
        const std::string copy(text);  // the sanitizer sees one octet too many
        for (const char* path : {"a", "a.b", "", "."}) {
            const std::string_view found = claim_text(copy, path);
            if (found.empty()) continue;
            EXPECT_GE(found.data(), copy.data());
            EXPECT_LE(found.data() + found.size(), copy.data() + copy.size());
        }
    }
}

// Random objects whose names and texts are made of what could mislead: dots, quotes, brackets,
// escapes, the names themselves.
class Writer {
public:
    explicit Writer(unsigned seed) : random_(seed) {}

    std::string object(unsigned depth) {
        std::string out = "{" + blanks();
        std::vector<std::string> taken;
        for (std::size_t i = pick(6); i > 0; --i) {
            const std::string name = this->name();
            if (std::ranges::find(taken, name) != taken.end()) continue;
            if (!taken.empty()) out += "," + blanks();
            taken.push_back(name);
            out +=
                "\"" + spelled(name) + "\"" + blanks() + ":" + blanks() + value(depth) + blanks();
        }
        return out + "}";
    }
    std::string path() {
        std::string out = name();
        for (std::size_t i = pick(3); i > 0; --i) out += "." + name();
        return out;
    }

private:
    std::size_t pick(std::size_t count) { return random_() % count; }
    std::string blanks() {
        static const char* const kBlanks[] = {"", "", "", " ", "\n\t", " \r\n "};
        return kBlanks[pick(6)];
    }
    std::string name() {
        static const char* const kNames[] = {"a", "b", "a.b", "b.a", "", ".", "a.b.a", "\xc3\xa9"};
        return kNames[pick(8)];
    }
    std::string spelled(const std::string& name) {
        if (name.empty() || name[0] != 'a' || pick(12) != 0) return name;
        return "\\u0061" + name.substr(1);
    }
    std::string text() {
        static const char* const kParts[] = {
            "a",       "\\\"", "\\\\",         "{",   "}",       "[", "]", ",", ":",
            "\\u0022", " ",    "\xe2\x82\xac", "\\n", "\\\\\\\""};
        std::string out = "\"";
        for (std::size_t i = pick(5); i > 0; --i) out += kParts[pick(14)];
        return out + "\"";
    }
    std::string array(unsigned depth) {
        std::string out = "[" + blanks();
        for (std::size_t i = pick(4), n = i; i > 0; --i) {
            if (i != n) out += "," + blanks();
            out += value(depth) + blanks();
        }
        return out + "]";
    }
    std::string value(unsigned depth) {
        static const char* const kScalars[] = {"0", "-1", "1e3", "0.5", "true", "false", "null"};
        switch (depth == 0 ? pick(3) : pick(6)) {
            case 0:
                return kScalars[pick(7)];
            case 1:
            case 2:
                return text();
            case 3:
                return array(depth - 1);
            default:
                return object(depth - 1);
        }
    }

    std::mt19937 random_;
};

bool has_escaped_name(const std::string& object) {
    return object.find("\\u0061") != std::string::npos;
}

TEST(ClaimText, SaysWhatFindSaysOfRandomObjects) {
    Writer writer(20);
    int found = 0;
    for (int i = 0; i < 30000; ++i) {
        const std::string object = writer.object(4);
        const auto document = Document::parse(object);
        ASSERT_TRUE(document) << object;
        for (int j = 0; j < 4; ++j) {
            const std::string path = writer.path();
            const std::string_view text = claim_text(object, path);
            const Value value = document->root().find(path);
            if (text.empty()) {
                // Only a name that is written with escapes may hide what is there.
                ASSERT_TRUE(!value.present() || has_escaped_name(object)) << object << " " << path;
                continue;
            }
            ++found;
            ASSERT_TRUE(value.present()) << object << " " << path << " gives " << text;
            ASSERT_EQ(normal(text), value.dump()) << object << " " << path;
        }
    }
    EXPECT_GT(found, 10000);
}

TEST(ClaimText, FindsAClaimBehindALongOne) {
    const std::string object = R"({"long":")" + std::string(100000, '}') + R"(","sub":"u"})";
    EXPECT_EQ(claim_text(object, "sub"), "\"u\"");
}

}  // namespace
}  // namespace gate::jose
