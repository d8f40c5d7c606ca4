#include "redis/cluster.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "tests/redis/replies.h"

namespace gate::redis {
namespace {

using namespace std::literals;
using namespace test;

const Endpoint kAsked{"10.0.0.9", 7000, ""};
const Endpoint kSocket{"", 0, "/run/redis.sock"};

Reply node(Reply host, std::int64_t port) {
    return array({std::move(host), integer(port), string("07c37df"), array({})});
}

Reply range(std::int64_t first, std::int64_t last, const std::string& host, std::int64_t port) {
    return array(
        {integer(first), integer(last), node(string(host), port), node(string("10.9.9.9"), 1)});
}

std::string owner_of(const SlotMap& map, std::uint16_t slot) {
    const Endpoint* owner = map.owner(slot);
    return owner != nullptr ? owner->text() : "nobody";
}

std::vector<std::string> owners_of(const SlotMap& map) {
    std::vector<std::string> texts;
    for (const Endpoint& owner : map.owners()) texts.push_back(owner.text());
    return texts;
}

using Texts = std::vector<std::string>;

TEST(SlotOf, IsCrc16) {
    EXPECT_EQ(slot_of("123456789"), 12739u);
    EXPECT_EQ(slot_of(""), 0u);
    // As `CLUSTER KEYSLOT` answers.
    EXPECT_EQ(slot_of("foo"), 12182u);
    EXPECT_EQ(slot_of("bar"), 5061u);
    EXPECT_EQ(slot_of("\xff\x00\x80"sv), 7915u);
}

TEST(SlotOf, HashesTheTagOnly) {
    const struct {
        std::string_view key;
        std::string_view hashed;
    } same[] = {
        {"{user1000}.following", "user1000"},
        {"{user1000}.followers", "user1000"},
        {"foo{{bar}}zap", "{bar"},
        {"foo{bar}{zap}", "bar"},
        {"{gate}:epoch", "gate"},
        {"{a}", "a"},
        {"}{b}", "b"},
        {"x{c}", "c"},
    };
    for (const auto& [key, hashed] : same) EXPECT_EQ(slot_of(key), slot_of(hashed)) << key;
    EXPECT_NE(slot_of("{user1000}.following"), slot_of("{user1001}.following"));
    // Nothing between the first '{' and the next '}', or no such pair: the whole key.
    EXPECT_EQ(slot_of("foo{}{bar}"), 8363u);
    EXPECT_EQ(slot_of("{}{user}"), 6164u);
    EXPECT_EQ(slot_of("{}"), 15257u);
    EXPECT_EQ(slot_of("{user"), 9243u);
    EXPECT_EQ(slot_of("user}"), 5858u);
    EXPECT_EQ(slot_of("}user{"), 15867u);
}

TEST(ReadRedirect, ReadsMovedAndAsk) {
    const auto moved = read_redirect("MOVED 3999 127.0.0.1:6381", kAsked);
    ASSERT_TRUE(moved);
    EXPECT_FALSE(moved->ask);
    EXPECT_EQ(moved->slot, 3999u);
    EXPECT_EQ(moved->to.text(), "127.0.0.1:6381");
    const auto ask = read_redirect("ASK 16383 redis-2.example.com:65535", kAsked);
    ASSERT_TRUE(ask);
    EXPECT_TRUE(ask->ask);
    EXPECT_EQ(ask->slot, 16383u);
    EXPECT_EQ(ask->to.text(), "redis-2.example.com:65535");
    EXPECT_EQ(read_redirect("MOVED 0 2001:db8::1:6381", kAsked)->to.text(), "[2001:db8::1]:6381");
}

TEST(ReadRedirect, MeansTheNodeThatWasAskedByAnEmptyHost) {
    EXPECT_EQ(read_redirect("MOVED 1 :6381", kAsked)->to.text(), "10.0.0.9:6381");
    EXPECT_FALSE(read_redirect("MOVED 1 :6381", kSocket));
}

TEST(ReadRedirect, RefusesAnythingElse) {
    for (const char* text : {"",
                             "MOVED",
                             "MOVED ",
                             "MOVED 1",
                             "MOVED 1 ",
                             "MOVED 16384 a:1",
                             "MOVED -1 a:1",
                             "MOVED 01 a:1",
                             "MOVED x a:1",
                             "MOVED  1 a:1",
                             "MOVED 1  a:1",
                             "MOVED 1 a",
                             "MOVED 1 6381",
                             "MOVED 1 a:",
                             "MOVED 1 a:0",
                             "MOVED 1 a:65536",
                             "MOVED 1 a:1 ",
                             "MOVED 1 a:1 b:2",
                             "MOVED 1 a b:1",
                             "MOVED 1 [::1]:1",
                             "MOVED 1 ?:1",
                             "MOVED 1 a\n:1",
                             "MOVED 1 a:01",
                             "MOVED 99999999999 a:1",
                             "moved 1 a:1",
                             "MOVEDX 1 a:1",
                             "ASKING 1 a:1",
                             "ERR MOVED 1 a:1",
                             " MOVED 1 a:1",
                             "MOVED\t1 a:1"}) {
        EXPECT_FALSE(read_redirect(text, kAsked)) << text;
    }
}

TEST(SlotMap, KnowsNobodyInTheBeginning) {
    const SlotMap map;
    EXPECT_EQ(owner_of(map, 0), "nobody");
    EXPECT_EQ(owner_of(map, 16383), "nobody");
    EXPECT_EQ(map.owner(16384), nullptr);
    EXPECT_EQ(map.owner(65535), nullptr);
    EXPECT_TRUE(map.owners().empty());
}

TEST(SlotMap, TakesRanges) {
    SlotMap map;
    ASSERT_TRUE(map.assign(
        array({range(0, 5460, "10.0.0.1", 7001), range(10923, 16383, "10.0.0.3", 7003),
               range(5461, 10000, "10.0.0.2", 7002), range(10001, 10001, "10.0.0.1", 7001)}),
        kAsked));
    EXPECT_EQ(owner_of(map, 0), "10.0.0.1:7001");
    EXPECT_EQ(owner_of(map, 5460), "10.0.0.1:7001");
    EXPECT_EQ(owner_of(map, 5461), "10.0.0.2:7002");
    EXPECT_EQ(owner_of(map, 10000), "10.0.0.2:7002");
    EXPECT_EQ(owner_of(map, 10001), "10.0.0.1:7001");
    EXPECT_EQ(owner_of(map, 10002), "nobody");
    EXPECT_EQ(owner_of(map, 10922), "nobody");
    EXPECT_EQ(owner_of(map, 10923), "10.0.0.3:7003");
    EXPECT_EQ(owner_of(map, 16383), "10.0.0.3:7003");
    EXPECT_EQ(map.owner(16384), nullptr);
    EXPECT_EQ(owners_of(map), (Texts{"10.0.0.1:7001", "10.0.0.2:7002", "10.0.0.3:7003"}));
}

TEST(SlotMap, ReplacesWhatItKnew) {
    SlotMap map;
    ASSERT_TRUE(map.assign(array({range(0, 16383, "a", 1)}), kAsked));
    ASSERT_TRUE(map.assign(array({range(5, 6, "b", 2)}), kAsked));
    EXPECT_EQ(owner_of(map, 4), "nobody");
    EXPECT_EQ(owner_of(map, 5), "b:2");
    EXPECT_EQ(owners_of(map), (Texts{"b:2"}));
    ASSERT_TRUE(map.assign(array({}), kAsked));
    EXPECT_EQ(owner_of(map, 5), "nobody");
    EXPECT_TRUE(map.owners().empty());
}

TEST(SlotMap, LetsTheLastOfOverlappingRangesWin) {
    SlotMap map;
    ASSERT_TRUE(map.assign(array({range(0, 100, "a", 1), range(50, 150, "b", 2),
                                  range(60, 70, "c", 3), range(0, 49, "b", 2)}),
                           kAsked));
    EXPECT_EQ(owner_of(map, 49), "b:2");
    EXPECT_EQ(owner_of(map, 59), "b:2");
    EXPECT_EQ(owner_of(map, 60), "c:3");
    EXPECT_EQ(owner_of(map, 71), "b:2");
    EXPECT_EQ(owners_of(map), (Texts{"b:2", "c:3"})) << "a is left with no slot";
}

TEST(SlotMap, MeansTheNodeThatWasAskedByNoHost) {
    SlotMap map;
    ASSERT_TRUE(map.assign(array({array({integer(0), integer(9), node(string(""), 7001)}),
                                  array({integer(10), integer(19), node(nil(), 7002)}),
                                  array({integer(20), integer(29), node(string("?"), 7003)})}),
                           kAsked));
    EXPECT_EQ(owner_of(map, 0), "10.0.0.9:7001");
    EXPECT_EQ(owner_of(map, 10), "10.0.0.9:7002");
    EXPECT_EQ(owner_of(map, 20), "nobody") << "a node without a name";
    ASSERT_TRUE(map.assign(
        array({array({integer(0), integer(9), node(nil(), 7001)}), range(5, 5, "a", 1)}), kSocket));
    EXPECT_EQ(owner_of(map, 0), "nobody");
    EXPECT_EQ(owner_of(map, 5), "a:1");
}

TEST(SlotMap, TakesNodesAsOldServersTellThem) {
    SlotMap map;
    ASSERT_TRUE(map.assign(
        array({array({integer(0), integer(9), array({string("10.0.0.1"), integer(7001)})})}),
        kAsked));
    EXPECT_EQ(owner_of(map, 9), "10.0.0.1:7001");
}

TEST(SlotMap, TellsNodesOfOneHostApart) {
    SlotMap map;
    ASSERT_TRUE(map.assign(array({range(0, 0, "a", 65535), range(1, 1, "a", 1)}), kAsked));
    EXPECT_EQ(owners_of(map), (Texts{"a:65535", "a:1"}));
}

TEST(SlotMap, ChangesNothingForWhatIsNoAnswer) {
    SlotMap map;
    ASSERT_TRUE(map.assign(array({range(0, 16383, "a", 1)}), kAsked));
    const Reply good = node(string("b"), 2);
    const Reply bad[] = {
        range(5, 4, "b", 2),
        range(-1, 4, "b", 2),
        range(0, 16384, "b", 2),
        range(65536, 65537, "b", 2),
        range(0, 1, "b", 0),
        range(0, 1, "b", -1),
        range(0, 1, "b", 65536),
        range(0, 1, "b c", 2),
        range(0, 1, "[::1]", 2),
        array({}),
        array({integer(0), integer(1)}),
        array({string("0"), integer(1), good}),
        array({integer(0), string("1"), good}),
        array({integer(0), nil(), good}),
        array({integer(0), integer(1), string("b")}),
        array({integer(0), integer(1), array({})}),
        array({integer(0), integer(1), array({string("b")})}),
        array({integer(0), integer(1), array({string("b"), string("2")})}),
        array({integer(0), integer(1), array({integer(1), integer(2)})}),
        array({integer(0), integer(1), array({status("b"), integer(2)})}),
        nil(),
        string("x"),
    };
    for (const Reply& item : bad) {
        EXPECT_FALSE(map.assign(array({range(7, 8, "b", 2), item}), kAsked)) << encode(item);
        ASSERT_EQ(owner_of(map, 7), "a:1");
        ASSERT_EQ(owners_of(map), (Texts{"a:1"}));
    }
    for (const Reply& reply : {nil(), status("OK"),
                               error("ERR This instance has cluster support "
                                     "disabled"),
                               string(""), integer(0)}) {
        EXPECT_FALSE(map.assign(reply, kAsked)) << encode(reply);
    }
    EXPECT_EQ(owner_of(map, 16383), "a:1");
}

TEST(SlotMap, TakesAsManyRangesAsSlots) {
    std::vector<Reply> ranges;
    for (int slot = 0; slot < 16384; ++slot) {
        ranges.push_back(range(slot, slot, "h" + std::to_string(slot), 1));
    }
    SlotMap map;
    ASSERT_TRUE(map.assign(array(ranges), kAsked));
    EXPECT_EQ(map.owners().size(), 16384u);
    EXPECT_EQ(owner_of(map, 0), "h0:1");
    EXPECT_EQ(owner_of(map, 16383), "h16383:1");
    ranges.push_back(range(0, 0, "x", 1));
    EXPECT_FALSE(map.assign(array(ranges), kAsked));
}

TEST(SlotMap, MovesOneSlot) {
    SlotMap map;
    ASSERT_TRUE(
        map.assign(array({range(0, 1, "a", 1), range(2, 2, "b", 2), range(3, 3, "c", 3)}), kAsked));
    map.move(0, {"c", 3, ""});
    EXPECT_EQ(owner_of(map, 0), "c:3");
    EXPECT_EQ(owner_of(map, 1), "a:1");
    EXPECT_EQ(owners_of(map), (Texts{"a:1", "b:2", "c:3"}));
    map.move(1, {"d", 4, ""});
    EXPECT_EQ(owners_of(map), (Texts{"b:2", "c:3", "d:4"})) << "a serves nothing any more";
    EXPECT_EQ(owner_of(map, 0), "c:3");
    EXPECT_EQ(owner_of(map, 1), "d:4");
    EXPECT_EQ(owner_of(map, 2), "b:2");
    map.move(2, {"b", 2, ""});
    EXPECT_EQ(owner_of(map, 2), "b:2");
    map.move(9, {"e", 5, ""});
    EXPECT_EQ(owner_of(map, 9), "e:5");
    EXPECT_EQ(owner_of(map, 8), "nobody");
    map.move(16384, {"x", 1, ""});
    EXPECT_EQ(map.owners().size(), 4u);
}

TEST(SlotMap, ForgetsAll) {
    SlotMap map;
    ASSERT_TRUE(map.assign(array({range(0, 16383, "a", 1)}), kAsked));
    map.clear();
    EXPECT_EQ(owner_of(map, 0), "nobody");
    EXPECT_EQ(owner_of(map, 16383), "nobody");
    EXPECT_TRUE(map.owners().empty());
    map.move(3, {"b", 2, ""});
    EXPECT_EQ(owner_of(map, 3), "b:2");
    EXPECT_EQ(owner_of(map, 0), "nobody");
}

TEST(SlotMap, AgreesWithAPlainMap) {
    std::mt19937_64 random(1);
    SlotMap map;
    std::map<std::uint16_t, std::string> model;
    const auto check = [&] {
        std::set<std::string> owners;
        for (std::uint16_t slot = 0; slot < kSlots; slot = static_cast<std::uint16_t>(slot + 7)) {
            const auto known = model.find(slot);
            ASSERT_EQ(owner_of(map, slot), known == model.end() ? "nobody" : known->second);
        }
        for (const auto& [slot, owner] : model) owners.insert(owner);
        const Texts told = owners_of(map);
        ASSERT_EQ(std::set<std::string>(told.begin(), told.end()), owners);
        ASSERT_EQ(told.size(), owners.size());
    };
    for (int round = 0; round < 100; ++round) {
        if (round % 10 == 0) {
            std::vector<Reply> ranges(random() % 8);
            model.clear();
            for (Reply& item : ranges) {
                const auto first = static_cast<std::uint16_t>(random() % kSlots);
                const auto last = static_cast<std::uint16_t>(first + random() % (kSlots - first));
                const std::string host = "h" + std::to_string(random() % 5);
                item = range(first, last, host, 1);
                for (unsigned slot = first; slot <= last; ++slot) {
                    model[static_cast<std::uint16_t>(slot)] = host + ":1";
                }
            }
            ASSERT_TRUE(map.assign(array(std::move(ranges)), kAsked));
        }
        const auto slot = static_cast<std::uint16_t>(random() % kSlots);
        const std::string host = "h" + std::to_string(random() % 9);
        map.move(slot, {host, 1, ""});
        model[slot] = host + ":1";
        ASSERT_NO_FATAL_FAILURE(check());
    }
}

}  // namespace
}  // namespace gate::redis
