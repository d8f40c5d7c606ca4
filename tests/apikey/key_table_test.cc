#include "apikey/key_table.h"

#include <gtest/gtest.h>

#include <chrono>

namespace gate::apikey {
namespace {

crypto::Digest256 digest_of(std::string_view key) {
    return digest_key(key, DigestKind::kSha256, {});
}

std::string record_of(const std::string& id, std::string_view key) {
    return "{\"id\":\"" + id + "\",\"digest\":\"" + to_hex(digest_of(key)) +
           "\",\"status\":\"active\"}";
}

std::string file_of(const std::string& records) {
    return "{\"version\":1,\"keys\":[" + records + "]}";
}

std::string error_of(const std::string& json) {
    const auto table = KeyTable::parse(json);
    return table ? "" : table.error();
}

TEST(KeyTable, FindsRecordsByDigest) {
    const auto table =
        KeyTable::parse(file_of(record_of("a", "key-a") + "," + record_of("b", "key-b")));
    ASSERT_TRUE(table) << table.error();
    ASSERT_EQ(table->records().size(), 2u);
    EXPECT_EQ(table->records()[0]->id, "a");
    const auto found = table->find(digest_of("key-b"));
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->id, "b");
    EXPECT_EQ(table->find(digest_of("key-c")), nullptr);
}

TEST(KeyTable, ComparesTheWholeDigest) {
    const auto table = KeyTable::parse(file_of(record_of("a", "key-a")));
    ASSERT_TRUE(table);
    for (std::size_t i = 0; i < 32; ++i) {
        crypto::Digest256 other = digest_of("key-a");
        other[i] ^= 1;
        EXPECT_EQ(table->find(other), nullptr) << i;
    }
}

TEST(KeyTable, HoldsDigestsThatBeginAlike) {
    const std::string head(62, 'a');
    std::string records;
    for (int i = 10; i < 14; ++i) {
        records += (records.empty() ? "" : ",");
        records += "{\"id\":\"k" + std::to_string(i) + "\",\"status\":\"active\",\"digest\":\"" +
                   head + std::to_string(i) + "\"}";
    }
    const auto table = KeyTable::parse(file_of(records));
    ASSERT_TRUE(table) << table.error();
    crypto::Digest256 digest{};
    digest.fill(0xaa);
    digest[31] = 0x12;
    ASSERT_NE(table->find(digest), nullptr);
    EXPECT_EQ(table->find(digest)->id, "k12");
    digest[31] = 0x14;
    EXPECT_EQ(table->find(digest), nullptr);
}

TEST(KeyTable, SharesItsRecords) {
    std::shared_ptr<const Record> shared;
    {
        const auto table = KeyTable::parse(file_of(record_of("a", "key-a")));
        ASSERT_TRUE(table);
        shared = table->find(digest_of("key-a"));
        EXPECT_EQ(shared, table->records()[0]);
    }
    EXPECT_EQ(shared->id, "a");
}

TEST(KeyTable, MayBeEmpty) {
    const auto table = KeyTable::parse(file_of(""));
    ASSERT_TRUE(table);
    EXPECT_TRUE(table->records().empty());
    EXPECT_EQ(table->find(digest_of("x")), nullptr);
    EXPECT_EQ(table->find(crypto::Digest256{}), nullptr);
}

TEST(KeyTable, RefusesOneBrokenRecordByName) {
    EXPECT_EQ(error_of(file_of(record_of("a", "key-a") + ",{\"id\":\"b\"}")),
              "record 2 (id \"b\"): member \"digest\" is missing; expected 64 lower-case "
              "hexadecimal digits");
    EXPECT_EQ(error_of(file_of("7")), "record 1: a record must be an object");
}

TEST(KeyTable, RefusesEqualDigestsAndIds) {
    EXPECT_EQ(error_of(file_of(record_of("a", "key-a") + "," + record_of("b", "key-a"))),
              "record 2 (id \"b\"): same digest as record 1");
    EXPECT_EQ(error_of(file_of(record_of("a", "key-a") + "," + record_of("b", "key-b") + "," +
                               record_of("b", "key-c"))),
              "record 3 (id \"b\"): same id as record 2");
}

TEST(KeyTable, RefusesOtherFrames) {
    EXPECT_EQ(error_of(""), "not strict JSON (json_bad)");
    EXPECT_EQ(error_of("[]"), "not strict JSON (json_bad)");
    EXPECT_EQ(error_of("{\"version\":1,\"version\":1,\"keys\":[]}"), "not strict JSON (json_dup)");
    EXPECT_EQ(error_of("{\"keys\":[]}"), "member \"version\" must be 1");
    EXPECT_EQ(error_of("{\"version\":2,\"keys\":[]}"), "member \"version\" must be 1");
    EXPECT_EQ(error_of("{\"version\":\"1\",\"keys\":[]}"), "member \"version\" must be 1");
    EXPECT_EQ(error_of("{\"version\":1}"), "member \"keys\" must be an array of records");
    EXPECT_EQ(error_of("{\"version\":1,\"keys\":{}}"),
              "member \"keys\" must be an array of records");
    EXPECT_EQ(error_of("{\"version\":1,\"keys\":[],\"x\":1}"),
              "member \"x\" is unknown; known are version, keys");
}

TEST(KeyTable, WritesAFileThatItReads) {
    EXPECT_EQ(KeyTable::to_json({}), "{\"version\":1,\"keys\":[\n]}\n");
    const auto table =
        KeyTable::parse(file_of(record_of("a", "key-a") + "," + record_of("b", "key-b")));
    ASSERT_TRUE(table);
    const std::string text = KeyTable::to_json(table->records());
    EXPECT_EQ(text, "{\"version\":1,\"keys\":[\n" + record_of("a", "key-a") + ",\n" +
                        record_of("b", "key-b") + "\n]}\n");
    const auto again = KeyTable::parse(text);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->records().size(), 2u);
}

TEST(KeyTable, HoldsManyKeys) {
    constexpr int kKeys = 20000;
    std::string records;
    for (int i = 0; i < kKeys; ++i) {
        records += (i == 0 ? "" : ",") + record_of("k" + std::to_string(i), std::to_string(i));
    }
    const auto start = std::chrono::steady_clock::now();
    const auto table = KeyTable::parse(file_of(records));
    const auto took = std::chrono::steady_clock::now() - start;
    ASSERT_TRUE(table) << table.error();
    EXPECT_EQ(table->records().size(), static_cast<std::size_t>(kKeys));
    EXPECT_EQ(table->find(digest_of("19999"))->id, "k19999");
    // Generous for sanitizers and valgrind; quadratic work would take minutes.
    EXPECT_LT(took, std::chrono::seconds(20));
}

}  // namespace
}  // namespace gate::apikey
