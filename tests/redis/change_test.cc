#include "redis/change.h"

#include <gtest/gtest.h>

#include "tests/redis/replies.h"

namespace gate::redis {
namespace {

using namespace test;
using Fields = std::vector<std::string>;
using Kind = Change::Kind;

const std::string kDigest = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

Reply fields(const Fields& texts) {
    std::vector<Reply> items;
    for (const std::string& text : texts) items.push_back(string(text));
    return array(std::move(items));
}

Reply entry(const std::string& id, const Fields& texts) {
    return array({string(id), fields(texts)});
}

Change revoked(StreamId id, std::string item, std::optional<std::int64_t> forget_at) {
    return {id, Kind::kRevoked, std::move(item), forget_at, "", ""};
}

Change key(StreamId id, std::string key_id) {
    return {id, Kind::kKey, "", std::nullopt, kDigest, std::move(key_id)};
}

Result<std::vector<Change>, std::string> read(const Fields& texts) {
    return read_changes(array({entry("5-1", texts)}));
}

std::string problem(const Fields& texts) {
    const auto changes = read(texts);
    return changes ? "none" : changes.error();
}

TEST(StreamId, IsTwoNumbers) {
    const auto id = StreamId::parse("1700000000000-3");
    ASSERT_TRUE(id);
    EXPECT_EQ(id->time, 1700000000000u);
    EXPECT_EQ(id->number, 3u);
    for (const char* text : {"0-0", "0-1", "18446744073709551615-18446744073709551615", "10-0"}) {
        ASSERT_TRUE(StreamId::parse(text)) << text;
        EXPECT_EQ(StreamId::parse(text)->text(), text);
    }
}

TEST(StreamId, HasOneSpelling) {
    for (const char* text : {"",
                             "-",
                             "1",
                             "1-",
                             "-1",
                             "1-2-3",
                             "1--2",
                             "+1-2",
                             "1-+2",
                             "-1-2",
                             "1--1",
                             "01-2",
                             "1-02",
                             "00-0",
                             "0-00",
                             " 1-2",
                             "1-2 ",
                             "1 -2",
                             "1-2\n",
                             "1-a",
                             "a-1",
                             "0x1-1",
                             "1.0-1",
                             "1-*",
                             "$",
                             "18446744073709551616-0",
                             "0-18446744073709551616",
                             "99999999999999999999999-0"}) {
        EXPECT_FALSE(StreamId::parse(text)) << text;
    }
    EXPECT_FALSE(StreamId::parse(std::string_view("1-2\0", 4)));
}

TEST(StreamId, IsOrderedByTimeThenNumber) {
    const auto id = [](const char* text) { return *StreamId::parse(text); };
    EXPECT_LT(id("9-9"), id("10-0"));
    EXPECT_LT(id("10-9"), id("10-10"));
    EXPECT_EQ(id("7-7"), id("7-7"));
    EXPECT_GT(id("18446744073709551615-0"), id("1-18446744073709551615"));
}

TEST(FieldsOf, AreWhatXaddTakes) {
    EXPECT_EQ(fields_of(revoked({}, "jti:i:v", 1800000000)),
              (Fields{"type", "revoked", "item", "jti:i:v", "forget", "1800000000"}));
    EXPECT_EQ(fields_of(revoked({}, "jti:i:v", std::nullopt)),
              (Fields{"type", "revoked", "item", "jti:i:v", "forget", "never"}));
    EXPECT_EQ(fields_of(key({}, "k1")), (Fields{"type", "key", "digest", kDigest, "id", "k1"}));
    EXPECT_EQ(fields_of(Change{}), Fields{});
}

TEST(ReadChanges, ReadsWhatIsWritten) {
    const Change written[] = {
        revoked({5, 0}, "all:%2A:-:1", 0),
        revoked({5, 1}, "sub:i:a", INT64_MAX),
        revoked({6, 0}, "tok:i:b", std::nullopt),
        key({7, 9}, "k1"),
    };
    std::vector<Reply> entries;
    for (const Change& change : written) {
        entries.push_back(entry(change.id.text(), fields_of(change)));
    }
    const auto read = read_changes(array(std::move(entries)));
    ASSERT_TRUE(read) << read.error();
    ASSERT_EQ(read->size(), std::size(written));
    for (std::size_t i = 0; i < read->size(); ++i) {
        const Change& change = (*read)[i];
        EXPECT_EQ(change.id, written[i].id);
        EXPECT_EQ(change.kind, written[i].kind);
        EXPECT_EQ(change.item, written[i].item);
        EXPECT_EQ(change.forget_at, written[i].forget_at);
        EXPECT_EQ(change.digest, written[i].digest);
        EXPECT_EQ(change.key_id, written[i].key_id);
    }
    const auto none = read_changes(array({}));
    ASSERT_TRUE(none);
    EXPECT_TRUE(none->empty());
}

TEST(ReadChanges, LeavesLaterVersionsAlone) {
    const auto changes = read_changes(array({entry("1-0", {"type", "audit", "name", "x"}),
                                             entry("2-0", {"type", "", "item", "x"}),
                                             entry("3-0", {"a", "b", "type", "REVOKED"})}));
    ASSERT_TRUE(changes) << changes.error();
    ASSERT_EQ(changes->size(), 3u);
    for (const Change& change : *changes) EXPECT_EQ(change.kind, Kind::kOther);
    EXPECT_EQ((*changes)[2].id, (StreamId{3, 0}));
    // Fields that a later version may add, in any order.
    const auto more = read({"by", "ops", "forget", "7", "item", "jti:i:v", "type", "revoked"});
    ASSERT_TRUE(more) << more.error();
    EXPECT_EQ(more->front().item, "jti:i:v");
    EXPECT_EQ(more->front().forget_at, 7);
}

TEST(ReadChanges, NeedsEveryFieldOnce) {
    EXPECT_EQ(problem({}), "entry 5-1 has no field \"type\"");
    EXPECT_EQ(problem({"item", "x"}), "entry 5-1 has no field \"type\"");
    EXPECT_EQ(problem({"type", "user", "type", "user"}), "entry 5-1 has no field \"type\"");
    EXPECT_EQ(problem({"x", "type", "y", "revoked"}), "entry 5-1 has no field \"type\"");
    const std::string item = "entry 5-1 has no field \"item\" of 1 to 4096 octets";
    EXPECT_EQ(problem({"type", "revoked", "forget", "1"}), item);
    EXPECT_EQ(problem({"type", "revoked", "item", "", "forget", "1"}), item);
    EXPECT_EQ(problem({"type", "revoked", "item", "a", "item", "a", "forget", "1"}), item);
    EXPECT_EQ(problem({"type", "revoked", "item", "a"}), "entry 5-1 has no field \"forget\"");
    EXPECT_EQ(problem({"type", "revoked", "item", "a", "forget", "1", "forget", "never"}),
              "entry 5-1 has no field \"forget\"");
    const std::string digest =
        "entry 5-1 has no field \"digest\" of 64 lower-case hexadecimal digits";
    EXPECT_EQ(problem({"type", "key", "id", "k"}), digest);
    EXPECT_EQ(problem({"type", "key", "digest", kDigest}), "entry 5-1 has no field \"id\"");
    EXPECT_EQ(problem({"type", "key", "digest", kDigest, "id", ""}),
              "entry 5-1 has no field \"id\"");
    EXPECT_EQ(problem({"type", "key", "digest", kDigest, "id", "k"}), "none");
}

TEST(ReadChanges, LimitsTheItem) {
    EXPECT_EQ(problem({"type", "revoked", "item", std::string(4096, 'x'), "forget", "1"}), "none");
    EXPECT_EQ(problem({"type", "revoked", "item", std::string(4097, 'x'), "forget", "1"}),
              "entry 5-1 has no field \"item\" of 1 to 4096 octets");
}

TEST(ReadChanges, ReadsInstantsExactly) {
    for (const char* good : {"0", "1", "never", "9223372036854775807"}) {
        EXPECT_EQ(problem({"type", "revoked", "item", "a", "forget", good}), "none") << good;
    }
    for (const char* bad : {"", "-1", "+1", "01", "1.5", "1e9", "Never", " 1", "1 ", "inf", "-",
                            "9223372036854775808", "18446744073709551616"}) {
        EXPECT_EQ(problem({"type", "revoked", "item", "a", "forget", bad}),
                  "entry 5-1 has a field \"forget\" that is neither Unix seconds nor never")
            << bad;
    }
}

TEST(ReadChanges, NeedsADigestOf64LowerCaseDigits) {
    const auto with = [](const std::string& digest) {
        return problem({"type", "key", "digest", digest, "id", "k"}) == "none";
    };
    EXPECT_TRUE(with(std::string(64, 'f')));
    EXPECT_TRUE(with(std::string(64, '9')));
    EXPECT_TRUE(with(std::string(32, '0') + std::string(32, 'a')));
    for (const char bad : {'A', 'F', 'g', '`', '/', ':', ' ', '\0'}) {
        EXPECT_FALSE(with(std::string(63, '0') + bad)) << bad;
    }
    EXPECT_FALSE(with(std::string(63, '0')));
    EXPECT_FALSE(with(std::string(65, '0')));
    EXPECT_FALSE(with(""));
}

TEST(ReadChanges, RefusesWhatIsNoListOfEntries) {
    for (const Reply& reply :
         {nil(), status("OK"), error("WRONGTYPE x"), integer(1), string("x")}) {
        const auto changes = read_changes(reply);
        ASSERT_FALSE(changes);
        EXPECT_EQ(changes.error(), "the reply is no list of entries");
    }
    const Reply good = fields({"type", "x"});
    const struct {
        Reply entry;
        const char* problem;
    } cases[] = {
        {nil(), "an entry is not an id with its fields"},
        {string("5-1"), "an entry is not an id with its fields"},
        {array({}), "an entry is not an id with its fields"},
        {array({string("5-1")}), "an entry is not an id with its fields"},
        {array({string("5-1"), good, good}), "an entry is not an id with its fields"},
        {array({integer(5), good}), "an entry is not an id with its fields"},
        {array({string("5"), good}), "the id of an entry is not two numbers with '-' between"},
        {array({string("5-1"), nil()}), "entry 5-1 has no list of field names and values"},
        {array({string("5-1"), string("x")}), "entry 5-1 has no list of field names and values"},
        {array({string("5-1"), fields({"type"})}),
         "entry 5-1 has no list of field names and values"},
        {array({string("5-1"), array({string("type"), integer(1)})}),
         "entry 5-1 has no list of field names and values"},
        {array({string("5-1"), array({status("type"), string("x")})}),
         "entry 5-1 has no list of field names and values"},
    };
    for (const auto& [bad, problem] : cases) {
        const auto changes = read_changes(array({entry("4-0", {"type", "x"}), bad}));
        ASSERT_FALSE(changes) << encode(bad);
        EXPECT_EQ(changes.error(), problem) << encode(bad);
    }
}

TEST(EntriesOfXread, AreThoseOfTheStream) {
    const Reply entries = array({entry("5-1", {"type", "x"})});
    bool good = false;
    const Reply reply = array({array({string("gate:log"), entries})});
    const Reply* found = entries_of_xread(reply, "gate:log", good);
    EXPECT_TRUE(good);
    EXPECT_EQ(found, &reply.items[0].items[1]);
    good = false;
    EXPECT_EQ(entries_of_xread(nil(), "gate:log", good), nullptr);
    EXPECT_TRUE(good);
}

TEST(EntriesOfXread, SaysWhatIsNoAnswer) {
    const Reply name = string("gate:log");
    const Reply entries = array({});
    for (const Reply& reply :
         {status("OK"), error("ERR x"), string("gate:log"), integer(0), array({}),
          array({array({name, entries}), array({name, entries})}), array({name}), array({nil()}),
          array({array({name})}), array({array({name, entries, entries})}),
          array({array({name, nil()})}), array({array({name, string("x")})}),
          array({array({string("other"), entries})}), array({array({status("gate:log"), entries})}),
          array({name, entries})}) {
        bool good = true;
        EXPECT_EQ(entries_of_xread(reply, "gate:log", good), nullptr) << encode(reply);
        EXPECT_FALSE(good) << encode(reply);
    }
}

TEST(ItemsOfZscan, AreThoseOfAPageWithTheCursorOfTheNext) {
    std::string cursor;
    const Reply page = array({string("17"), array({string("a"), string("1")})});
    const auto* const items = items_of_zscan(page, cursor);
    ASSERT_NE(items, nullptr);
    EXPECT_EQ(items->size(), 2u);
    EXPECT_EQ(cursor, "17");
}

TEST(ItemsOfZscan, AreNotThoseOfAnotherReply) {
    for (const Reply& reply :
         {Reply{}, string("0"), array({}), array({string("0"), Reply{}}),
          array({Reply{}, array({})}), array({string("0"), array({string("a")})})}) {
        std::string cursor = "5";
        EXPECT_EQ(items_of_zscan(reply, cursor), nullptr);
        EXPECT_EQ(cursor, "5");
    }
}

TEST(Change, OfAUserHasTheName) {
    const auto changes = read({"type", "user", "name", "j\u00fcrgen", "more", "x"});
    ASSERT_TRUE(changes) << changes.error();
    EXPECT_EQ(changes->front().kind, Kind::kUser);
    EXPECT_EQ(changes->front().name, "j\u00fcrgen");
    EXPECT_EQ(fields_of(changes->front()), (Fields{"type", "user", "name", "j\u00fcrgen"}));
    const std::string wrong = "entry 5-1 has no field \"name\" of 1 to 256 octets";
    EXPECT_EQ(problem({"type", "user"}), wrong);
    EXPECT_EQ(problem({"type", "user", "name", ""}), wrong);
    EXPECT_EQ(problem({"type", "user", "name", std::string(257, 'a')}), wrong);
    EXPECT_EQ(problem({"type", "user", "name", "a", "name", "b"}), wrong);
    EXPECT_EQ(problem({"type", "user", "name", std::string(256, 'a')}), "none");
}

}  // namespace
}  // namespace gate::redis
