#include "cache/revocation_item.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace gate::cache {
namespace {

using Kind = RevocationKind;

struct Sample {
    const char* text;
    RevocationItem item;
};

const std::vector<Sample> kSamples{
    {"jti:https%3A%2F%2Fidp.example.com:a-b", {Kind::kJti, "https://idp.example.com", "a-b"}},
    {"tok:-:x", {Kind::kToken, "", "x"}},
    {"sub:i:%2D", {Kind::kSubject, "i", "-"}},
    {"sub:i:a%3Ab", {Kind::kSubject, "i", "a:b"}},
    {"sid:i:-", {Kind::kSession, "i", ""}},
    {"client:i:c:1800000000", {Kind::kClient, "i", "c", 1800000000}},
    {"key:store:k1:0", {Kind::kKey, "store", "k1", 0}},
    {"all:%2A:-", {Kind::kAll, "*", ""}},
    {"all:%2A:-:4294967294", {Kind::kAll, "*", "", 4294967294u}},
};

TEST(RevocationItem, IsWrittenAsDocumented) {
    for (const auto& [text, item] : kSamples) EXPECT_EQ(format_item(item), text);
}

TEST(RevocationItem, IsReadAsItWasWritten) {
    for (const auto& [text, item] : kSamples) {
        const auto parsed = parse_item(text);
        ASSERT_TRUE(parsed) << text;
        EXPECT_EQ(*parsed, item) << text;
    }
}

TEST(RevocationItem, HasNoValueForAll) {
    EXPECT_EQ(format_item({Kind::kAll, "i", "ignored", 5}), "all:i:-:5");
    EXPECT_FALSE(parse_item("all:i:x"));
    EXPECT_FALSE(parse_item("all:i:%2D"));
    EXPECT_FALSE(parse_item("all:i:x:5"));
}

TEST(RevocationItem, HasOneSpelling) {
    for (const char* text : {"",
                             ":",
                             "::",
                             "jti",
                             "jti:",
                             "jti:i",
                             "jti:i:",
                             "jti::v",
                             ":i:v",
                             "jti:i:v:",
                             "jti:i:v:5:",
                             "jti:i:v:5:6",
                             "jti:i:v::5",
                             "JTI:i:v",
                             "jtis:i:v",
                             " jti:i:v",
                             "jti:i:v ",
                             "jti:i:v\n",
                             "jti:i i:v",
                             "jti:i:%41",
                             "jti:%41:v",
                             "jti:i:%ff",
                             "jti:i:%",
                             "jti:i:%2",
                             "jti:i:a/b",
                             "jti:i:v:05",
                             "jti:i:v:00",
                             "jti:i:v:+5",
                             "jti:i:v:-5",
                             "jti:i:v:-",
                             "jti:i:v:5s",
                             "jti:i:v: 5",
                             "jti:i:v:4294967295",
                             "jti:i:v:4294967296",
                             "jti:i:v:99999999999999999999",
                             "jti:i:v:2027-01-15T08:00:00Z",
                             "all",
                             "all:i",
                             "all:i:"}) {
        EXPECT_FALSE(parse_item(text)) << text;
    }
    EXPECT_FALSE(parse_item(std::string_view("jti:i:v\0", 8)));
    EXPECT_TRUE(parse_item("jti:i:v:0"));
    EXPECT_TRUE(parse_item("jti:i:v:10"));
}

TEST(RevocationItem, HasAtMost4096Octets) {
    RevocationItem item{Kind::kJti, "i", std::string(4090, 'x')};
    EXPECT_EQ(format_item(item).size(), kMaxRevocationItem);
    EXPECT_EQ(parse_item(format_item(item)), item);
    item.value += 'x';
    EXPECT_EQ(format_item(item).size(), kMaxRevocationItem + 1);
    EXPECT_FALSE(parse_item(format_item(item)));
}

TEST(RevocationItem, CarriesEveryKindAndOctet) {
    std::mt19937_64 random(1);
    const auto text = [&] {
        std::string octets(random() % 40, '\0');
        for (char& c : octets) c = static_cast<char>(random());
        return octets;
    };
    for (int i = 0; i < 5000; ++i) {
        RevocationItem item{static_cast<Kind>(i % 7), text(), text()};
        if (item.kind == Kind::kAll) item.value.clear();
        if (random() % 2 == 0) item.issued_until = static_cast<std::uint32_t>(random());
        const auto parsed = parse_item(format_item(item));
        ASSERT_TRUE(parsed) << format_item(item);
        ASSERT_EQ(*parsed, item);
    }
}

}  // namespace
}  // namespace gate::cache
