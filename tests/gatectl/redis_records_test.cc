#include "gatectl/redis_records.h"

#include <gtest/gtest.h>

#include "gatectl/redis_revocations.h"

namespace gate::ctl {
namespace {

using cache::JournalEntry;
using cache::RevocationKind;
using redis::Reply;

Reply reply_of(Reply::Type type, std::string text = "") {
    Reply reply;
    reply.type = type;
    reply.text = std::move(text);
    return reply;
}

Reply hash_of(const std::vector<std::string>& fields) {
    Reply reply = reply_of(Reply::Type::kArray);
    for (const std::string& field : fields) {
        reply.items.push_back(reply_of(Reply::Type::kString, field));
    }
    return reply;
}

const std::string kDigest(64, 'a');

Reply good_hash() {
    return hash_of({"v", "1", "id", "k1", "digest", kDigest, "status", "active", "created", "5"});
}

TEST(RecordIn, IsTheRecordOfItsDigest) {
    const auto record = record_in(good_hash(), kDigest);
    ASSERT_TRUE(record);
    ASSERT_NE(*record, nullptr);
    EXPECT_EQ((*record)->id, "k1");
    EXPECT_FALSE(record_in(good_hash(), std::string(64, 'b')));
}

TEST(RecordIn, IsNothingWhereThereIsNoHash) {
    const auto record = record_in(hash_of({}), kDigest);
    ASSERT_TRUE(record);
    EXPECT_EQ(*record, nullptr);
}

TEST(RecordIn, RefusesWhatIsNoRecord) {
    for (const Reply& reply : {reply_of(Reply::Type::kNil), reply_of(Reply::Type::kString, "x"),
                               reply_of(Reply::Type::kError, "WRONGTYPE Operation"), hash_of({"v"}),
                               hash_of({"v", "1"}), hash_of({"v", "2", "id", "k1"})}) {
        EXPECT_FALSE(record_in(reply, kDigest));
    }
}

TEST(RecordIn, KeepsValuesOutOfItsErrors) {
    Reply hash = good_hash();
    hash.items[7].text = "hidden";
    const auto record = record_in(hash, kDigest);
    ASSERT_FALSE(record);
    EXPECT_EQ(record.error().find("hidden"), std::string::npos);
    EXPECT_NE(record.error().find("status"), std::string::npos);
}

TEST(DigestIn, HasSixtyFourLowerCaseDigits) {
    EXPECT_EQ(digest_in(reply_of(Reply::Type::kString, kDigest)), kDigest);
    EXPECT_EQ(digest_in(reply_of(Reply::Type::kStatus, kDigest)), "");
    EXPECT_EQ(digest_in(reply_of(Reply::Type::kNil)), "");
    EXPECT_EQ(digest_in(reply_of(Reply::Type::kString, std::string(64, 'A'))), "");
    EXPECT_EQ(digest_in(reply_of(Reply::Type::kString, std::string(64, 'g'))), "");
    EXPECT_EQ(digest_in(reply_of(Reply::Type::kString, std::string(63, 'a'))), "");
}

TEST(EntryOfItem, TakesTheScoreAsTheEnd) {
    const auto until = entry_of_item("sub:i:v:7", "1800000000");
    ASSERT_TRUE(until);
    EXPECT_EQ(*until, (JournalEntry{0, RevocationKind::kSubject, "i", "v", 7, 1800000000}));
    const auto never = entry_of_item("all:%2A:-", "inf");
    ASSERT_TRUE(never);
    EXPECT_EQ(*never, (JournalEntry{0, RevocationKind::kAll, "*", "", cache::kEveryInstant,
                                    cache::kNeverForgotten}));
    const auto late = entry_of_item("jti:i:v", "9999999999");
    ASSERT_TRUE(late);
    EXPECT_EQ(late->expires, cache::kNeverForgotten);
    const auto early = entry_of_item("jti:i:v", "-1");
    ASSERT_TRUE(early);
    EXPECT_EQ(early->expires, 0U);
}

TEST(EntryOfItem, RefusesWhatNginxLeavesOut) {
    EXPECT_FALSE(entry_of_item("jti:i", "inf"));
    EXPECT_FALSE(entry_of_item("", "inf"));
    for (const char* score : {"1.5", "", "-inf", "nan", "1e3", " 1"}) {
        EXPECT_FALSE(entry_of_item("jti:i:v", score)) << score;
    }
}

}  // namespace
}  // namespace gate::ctl
