#include "apikey/packed_record.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <random>

namespace gate::apikey {
namespace {

constexpr std::size_t kRoom = 4040;

ByteVector packed(const Record& record) {
    ByteVector out(kRoom);
    const auto size = pack(record, out);
    EXPECT_TRUE(size);
    out.resize(size.value_or(0));
    return out;
}

// Every field, with values that a careless form would lose.
Record full_record() {
    Record record;
    record.id = "k_1.a-b";
    record.name = "C\"I \xc3\xa9\\";
    record.owner = "team a";
    record.scopes = {"a:*", "", "b c"};
    record.roles = {"r"};
    record.groups = {"g", std::string(1000, 'h')};
    record.status = KeyStatus::kSuspended;
    record.created = 1767323045;
    record.not_before = 0;
    record.expires = std::numeric_limits<Seconds>::max();
    record.rate = "100r/m";
    record.burst = 7;
    for (const char* network : {"10.0.0.0/8", "::/0", "2001:db8::1"}) {
        record.networks.push_back(*Network::parse(network));
    }
    record.labels = *jose::Document::parse(R"({"plan":"gold","n":[1,2.5,null,{"a":"\u00e9"}]})");
    return record;
}

void expect_same(const Record& a, const Record& b) {
    EXPECT_EQ(a.id, b.id);
    EXPECT_EQ(a.name, b.name);
    EXPECT_EQ(a.owner, b.owner);
    EXPECT_EQ(a.scopes, b.scopes);
    EXPECT_EQ(a.roles, b.roles);
    EXPECT_EQ(a.groups, b.groups);
    EXPECT_EQ(a.status, b.status);
    EXPECT_EQ(a.created, b.created);
    EXPECT_EQ(a.not_before, b.not_before);
    EXPECT_EQ(a.expires, b.expires);
    EXPECT_EQ(a.rate, b.rate);
    EXPECT_EQ(a.burst, b.burst);
    ASSERT_EQ(a.networks.size(), b.networks.size());
    for (std::size_t i = 0; i < a.networks.size(); ++i) {
        EXPECT_EQ(a.networks[i].text(), b.networks[i].text());
    }
    EXPECT_EQ(a.labels.root().present(), b.labels.root().present());
    EXPECT_EQ(a.labels.root().dump(), b.labels.root().dump());
}

TEST(PackedRecord, ComesBackWithEveryField) {
    for (const KeyStatus status :
         {KeyStatus::kActive, KeyStatus::kSuspended, KeyStatus::kRevoked}) {
        Record record = full_record();
        record.status = status;
        const auto back = unpack(packed(record));
        ASSERT_TRUE(back);
        expect_same(*back, record);
        EXPECT_EQ(back->digest, "");
    }
}

TEST(PackedRecord, ComesBackWithoutWhatIsAbsent) {
    const auto back = unpack(packed(Record{}));
    ASSERT_TRUE(back);
    expect_same(*back, Record{});
    Record labelled;
    labelled.labels = *jose::Document::parse("{}");
    const auto empty_labels = unpack(packed(labelled));
    ASSERT_TRUE(empty_labels);
    expect_same(*empty_labels, labelled);
}

TEST(PackedRecord, ComesBackWithEachFieldAlone) {
    using Change = void (*)(Record&);
    const Change changes[] = {
        [](Record& r) { r.id = "i"; },
        [](Record& r) { r.name = "n"; },
        [](Record& r) { r.owner = "o"; },
        [](Record& r) { r.scopes = {"s"}; },
        [](Record& r) { r.roles = {"r"}; },
        [](Record& r) { r.groups = {"g"}; },
        [](Record& r) { r.created = -1; },
        [](Record& r) { r.not_before = 5; },
        [](Record& r) { r.expires = 6; },
        [](Record& r) { r.rate = "1r/s"; },
        [](Record& r) { r.burst = 1; },
        [](Record& r) { r.networks = {*Network::parse("192.0.2.1")}; },
        [](Record& r) { r.labels = *jose::Document::parse(R"({"a":1})"); },
    };
    for (const Change& change : changes) {
        Record record;
        change(record);
        const auto back = unpack(packed(record));
        ASSERT_TRUE(back);
        expect_same(*back, record);
    }
}

TEST(PackedRecord, IsWrittenWholeOrNotAtAll) {
    const Record record = full_record();
    const std::size_t size = packed(record).size();
    ByteVector out(size);
    EXPECT_EQ(pack(record, out), size);
    for (std::size_t room = 0; room < size; ++room) {
        EXPECT_FALSE(pack(record, std::span(out).first(room))) << room;
    }
    Record wide;
    wide.name = std::string(65536, 'n');
    ByteVector large(100000);
    EXPECT_FALSE(pack(wide, large));
    wide.name.pop_back();
    EXPECT_TRUE(pack(wide, large));
}

TEST(PackedRecord, IsNotReadFromLessOrMore) {
    ByteVector octets = packed(full_record());
    for (std::size_t size = 0; size < octets.size(); ++size) {
        EXPECT_FALSE(unpack(Bytes(octets).first(size))) << size;
    }
    octets.push_back(0);
    EXPECT_FALSE(unpack(octets));
    octets.pop_back();
    octets[0] = 3;
    EXPECT_FALSE(unpack(octets)) << "a status that there is not";
    octets[0] = 0;
    octets[1] |= 16;
    EXPECT_FALSE(unpack(octets)) << "a flag that there is not";
    Record record;
    record.networks = {*Network::parse("::1")};
    octets = packed(record);
    EXPECT_EQ(octets.back(), 128);
    EXPECT_TRUE(unpack(octets));
    ++octets.back();
    EXPECT_FALSE(unpack(octets)) << "a prefix of 129 bits";
}

// Whoever reads octets that pack() did not write gets a record or none, and touches nothing else.
TEST(PackedRecord, SurvivesAnyOctets) {
    std::mt19937 random(5);
    const ByteVector good = packed(full_record());
    std::size_t read = 0;
    for (int i = 0; i < 20000; ++i) {
        ByteVector octets = good;
        for (unsigned change = random() % 4 + 1; change > 0; --change) {
            octets[random() % octets.size()] = static_cast<std::uint8_t>(random());
        }
        octets.resize(random() % 8 == 0 ? random() % octets.size() : octets.size());
        read += unpack(octets).has_value();
    }
    EXPECT_GT(read, 0u);
}

}  // namespace
}  // namespace gate::apikey
