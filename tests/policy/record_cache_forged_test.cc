// Entries that nobody who keeps the rules has written, and records that just fit: read for what
// they are or not at all.
#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "apikey/packed_record.h"
#include "base/siphash.h"
#include "tests/policy/record_cache_support.h"
#include "tests/support/test_zone.h"

namespace gate::policy {
namespace {

const KeyStore kStore = test_store("partner");
constexpr std::uint64_t kUnknown = 1, kRecord = 3;
// Octets of the body in a slot of each size.
constexpr std::size_t kHead = 3 * sizeof(std::uint64_t);
constexpr std::size_t kSmall = cache::kRecordSlot - cache::Table::kHeadSize - kHead;
constexpr std::size_t kLarge = cache::kLargeRecordSlot - cache::Table::kHeadSize - kHead;

Bytes octets_of(std::span<const std::uint64_t> words) {
    return {reinterpret_cast<const std::uint8_t*>(words.data()), words.size_bytes()};
}

// An entry as only this code can seal it, but with whatever body, and whatever size said.
void forge(test::TestZone& zone, cache::Table& table, const Need& need, std::uint64_t kind,
           const ByteVector& body, std::size_t size) {
    const auto now = static_cast<std::uint32_t>(kClock);
    const std::uint32_t expires = now + 60;
    std::vector<std::uint64_t> words(7 + (body.size() + 7) / 8);
    std::memcpy(words.data(), need.digest.data(), need.digest.size());
    words[4] = need.store->epoch;
    const auto name = octets_of(std::span(words).first(5));
    const cache::Fingerprint place = cache::fingerprint(zone->fingerprint_key(), text_of(name));
    words[5] = std::uint64_t{now} << 32 | expires;
    words[6] = kind << 32 | size;
    if (!body.empty()) std::memcpy(&words[7], body.data(), body.size());
    words[4] = siphash64(zone->seed(), octets_of(words));
    table.insert(place, now, expires, std::span(words).subspan(4));
}

ByteVector packed(const apikey::Record& record) {
    ByteVector out(kLarge);
    out.resize(apikey::pack(record, out).value_or(0));
    return out;
}

std::shared_ptr<apikey::Record> record_of_size(const Need& need, std::size_t size) {
    auto record = record_of(need);
    record->name.clear();
    record->name.assign(size - packed(*record).size(), 'n');
    EXPECT_EQ(record->name.size() < kLarge, true);
    return record;
}

std::string name_in(const cache::Zone& zone, const Need& need) {
    const auto found = recall_record(zone, need, kClock);
    return found && found->record ? found->record->name : "nothing";
}

TEST(RecordCacheFit, UsesTheLastOctetOfASlotOfEitherSize) {
    const Need need = need_of(kStore, 1);
    for (const std::size_t size : {kSmall - 8, kSmall - 1, kSmall, kSmall + 1, kSmall + 8,
                                   kLarge - 8, kLarge - 1, kLarge, kLarge + 1}) {
        test::TestZone zone;
        const auto record = record_of_size(need, size);
        keep(*zone, need, answer_of(record));
        EXPECT_EQ(name_in(*zone, need), size <= kLarge ? record->name : "nothing") << size;
        EXPECT_EQ(zone->records.occupied(), size <= kSmall ? 1U : 0U) << size;
        EXPECT_EQ(zone->large_records.occupied(), size > kSmall && size <= kLarge ? 1U : 0U)
            << size;
    }
}

TEST(RecordCacheForgery, IsReadWhereItIsAnEntryLikeAnother) {
    test::TestZone zone;
    const Need need = need_of(kStore, 1), unknown = need_of(kStore, 2);
    const ByteVector body = packed(*record_of(need, 4));
    forge(zone, zone->records, need, kRecord, body, body.size());
    EXPECT_EQ(look(*zone, need), "4");
    forge(zone, zone->unknown_keys, unknown, kUnknown, {}, 0);
    EXPECT_EQ(look(*zone, unknown), "unknown");
}

TEST(RecordCacheForgery, IsNothingWhereItsBodyIsNoRecord) {
    test::TestZone zone;
    const Need need = need_of(kStore, 1);
    const ByteVector body = packed(*record_of(need, 4));
    for (std::size_t size = 0; size < body.size(); ++size) {
        forge(zone, zone->records, need, kRecord, ByteVector(body.begin(), body.begin() + size),
              size);
        EXPECT_EQ(look(*zone, need), "nothing") << size;
    }
    forge(zone, zone->records, need, kRecord, ByteVector(100, 0xff), 100);
    EXPECT_EQ(look(*zone, need), "nothing");
}

TEST(RecordCacheForgery, IsNothingWhereItSaysMoreThanItsSlotHolds) {
    test::TestZone zone;
    const Need need = need_of(kStore, 1);
    constexpr std::size_t kRoom = cache::kUnknownSlot - cache::Table::kHeadSize - kHead;
    forge(zone, zone->unknown_keys, need, kUnknown, ByteVector(kRoom, 0), kRoom);
    EXPECT_EQ(look(*zone, need), "unknown");
    for (const std::size_t size : {kRoom + 1, kRoom + 8, kLarge, kLarge + 1, kLarge + 4096,
                                   std::size_t{0x7fffffff}, std::size_t{0xffffffff}}) {
        forge(zone, zone->unknown_keys, need, kUnknown, {}, size);
        EXPECT_EQ(look(*zone, need), "nothing") << size;
    }
}

TEST(RecordCacheForgery, IsNothingForAStoreWithoutEpoch) {
    test::TestZone zone;
    KeyStore store = test_store("partner");
    const Need need = need_of(store, 1);
    store.epoch = 0;
    forge(zone, zone->unknown_keys, need, kUnknown, {}, 0);
    EXPECT_EQ(look(*zone, need), "nothing");
    store.epoch = 1;
    keep_version(*zone, need, 5);
    EXPECT_EQ(look(*zone, need), "5") << "the smallest that there can be";
}

// The record of then is known no more, and must not come back with an answer that was asked for
// before, however short records live.
TEST(RecordCache, KeepsAChangeInMindForALookupsTime) {
    test::TestZone zone;
    const Need need = need_of(kStore, 1);
    const RecordLife life{.valid = 1, .negative = 1};
    auto huge = record_of(need, 2);
    huge->scopes.assign(5, std::string(1000, 's'));
    remember_record(*zone, need, answer_of(huge), life, 1000, 1000);
    EXPECT_EQ(look(*zone, need, 1000), "nothing");
    remember_record(*zone, need, answer_of(record_of(need, 1)), RecordLife{}, 999, 1030);
    EXPECT_EQ(look(*zone, need, 1030), "nothing") << "the answer is older than the change";
    remember_record(*zone, need, answer_of(record_of(need, 3)), RecordLife{}, 1000, 1030);
    EXPECT_EQ(look(*zone, need, 1030), "3");
}

}  // namespace
}  // namespace gate::policy
