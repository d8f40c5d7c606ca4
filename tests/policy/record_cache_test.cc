#include "policy/record_cache.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <random>
#include <vector>

#include "tests/policy/record_cache_support.h"
#include "tests/support/test_zone.h"

namespace gate::policy {
namespace {

const KeyStore kStore = test_store("partner");

TEST(RecordCache, GivesBackARecordWithEveryField) {
    test::TestZone zone;
    const Need need = need_of(kStore, 1);
    const std::string json = R"({"id":"k1","digest":")" + to_hex(need.digest) +
                             R"(","name":"C\"I","owner":"team","scopes":["a:*","b"],"roles":["r"],)"
                             R"("groups":["g","h"],"status":"suspended",)"
                             R"("created":"2026-01-02T03:04:05Z","not_before":5,)"
                             R"("expires":"2030-01-01T00:00:00Z","rate":"100r/m","burst":7,)"
                             R"("cidr":["10.0.0.0/8","::1"],"labels":{"plan":"gold","n":[1,2.5]}})";
    const auto document = jose::Document::parse(json);
    ASSERT_TRUE(document);
    auto record = apikey::Record::from_json(document->root());
    ASSERT_TRUE(record) << record.error();
    const auto kept = std::make_shared<const apikey::Record>(*std::move(record));
    EXPECT_FALSE(recall_record(*zone, need, kClock));
    keep(*zone, need, answer_of(kept));
    const auto found = recall_record(*zone, need, kClock);
    ASSERT_TRUE(found && found->record);
    EXPECT_EQ(found->record->to_json(), kept->to_json());
    EXPECT_TRUE(found->found_by_digest);
    EXPECT_EQ(found->failure, Reason::kNone);
}

TEST(RecordCache, KeepsEachStatus) {
    test::TestZone zone;
    const std::pair<apikey::KeyStatus, Reason> judged[] = {
        {apikey::KeyStatus::kActive, Reason::kNone},
        {apikey::KeyStatus::kSuspended, Reason::kKeySuspended},
        {apikey::KeyStatus::kRevoked, Reason::kKeyRevoked}};
    const Need need = need_of(kStore, 1);
    for (const auto& [status, reason] : judged) {
        auto record = record_of(need);
        record->status = status;
        keep(*zone, need, answer_of(record));
        const auto found = recall_record(*zone, need, kClock);
        ASSERT_TRUE(found && found->record);
        const auto usable = apikey::check_record(*found->record, kClock, {});
        EXPECT_EQ(usable ? Reason::kNone : usable.error(), reason);
    }
}

TEST(RecordCache, AnswersANeedOfTheEngine) {
    test::TestZone zone;
    KeyStore store = test_store("partner");
    store.format.checksum = false;
    const std::string key(43, 'k');
    const KeyStore* const stores[] = {&store};
    Request request;
    request.credential = {CredentialKind::kKey, key};
    request.stores = stores;
    request.now = 1700000000;
    const auto ask = [&] {
        Authentication authentication(request);
        Outcome outcome = authentication.start();
        const Need need = std::get<Need>(outcome);
        const auto answer = recall_record(*zone, need, kClock);
        if (!answer) return std::string("ask");
        outcome = authentication.resume(*answer);
        const auto* deny = std::get_if<Deny>(&outcome);
        return deny != nullptr ? std::string(code(deny->reason))
                               : std::get<VerifiedKey>(outcome).record->id;
    };
    EXPECT_EQ(ask(), "ask");
    const Need need{&store, crypto::sha256(bytes_of(key))};
    keep_unknown(*zone, need);
    EXPECT_EQ(ask(), "key_unknown");
    keep_version(*zone, need, 3);
    EXPECT_EQ(ask(), "id3");
    ASSERT_TRUE(forget_record(*zone, need, kClock));
    EXPECT_EQ(ask(), "ask");
}

TEST(RecordCache, TellsStoresAndKeysApart) {
    test::TestZone zone;
    const KeyStore other = test_store("other");
    keep_version(*zone, need_of(kStore, 1), 7);
    keep_unknown(*zone, need_of(other, 2));
    EXPECT_EQ(look(*zone, need_of(kStore, 1)), "7");
    EXPECT_EQ(look(*zone, need_of(other, 1)), "nothing");
    EXPECT_EQ(look(*zone, need_of(other, 2)), "unknown");
    EXPECT_EQ(look(*zone, need_of(kStore, 2)), "nothing");
    KeyStore nameless = test_store("partner");
    nameless.epoch = 0;
    const Need need = need_of(nameless, 1);
    keep_version(*zone, need, 1);
    keep_unknown(*zone, need);
    EXPECT_EQ(look(*zone, need), "nothing");
    EXPECT_TRUE(forget_record(*zone, need, kClock));
}

TEST(RecordCache, KeepsNoFailureAndNoRecordOfAnotherKey) {
    test::TestZone zone;
    const Need need = need_of(kStore, 1);
    Answer failure;
    failure.failure = Reason::kStoreTimeout;
    keep(*zone, need, failure);
    EXPECT_EQ(look(*zone, need), "nothing");
    keep(*zone, need, answer_of(record_of(need_of(kStore, 2))));
    EXPECT_EQ(look(*zone, need), "nothing");
    EXPECT_EQ(zone.writes, 0);
    // Nor does a failure change what is known.
    keep_version(*zone, need, 1);
    failure.record = record_of(need, 2);
    keep(*zone, need, failure);
    EXPECT_EQ(look(*zone, need), "1");
}

TEST(RecordCache, CountsSecondsFromTheQuestion) {
    test::TestZone zone;
    const Need known = need_of(kStore, 1), unknown = need_of(kStore, 2);
    const RecordLife life{.valid = 60, .negative = 5};
    remember_record(*zone, known, answer_of(record_of(known)), life, 1000, 1003);
    remember_record(*zone, unknown, Answer{}, life, 1000, 1003);
    EXPECT_EQ(look(*zone, known, 1059), "0");
    EXPECT_EQ(look(*zone, known, 1060), "nothing");
    EXPECT_EQ(look(*zone, unknown, 1004), "unknown");
    EXPECT_EQ(look(*zone, unknown, 1005), "nothing");
    // The answer took too long to be of use.
    remember_record(*zone, unknown, Answer{}, life, 1000, 1005);
    EXPECT_EQ(look(*zone, unknown, 1000), "nothing");
    EXPECT_EQ(zone->unknown_keys.occupied(), 0u);
}

TEST(RecordCache, KeepsNothingForNoSeconds) {
    test::TestZone zone;
    const Need need = need_of(kStore, 1);
    keep_version(*zone, need, 1);
    keep(*zone, need, answer_of(record_of(need, 2)), kClock, {.valid = 0, .negative = 0});
    EXPECT_EQ(look(*zone, need), "nothing") << "what was known is no longer so";
    keep(*zone, need, Answer{}, kClock, {.valid = 0, .negative = 0});
    EXPECT_EQ(look(*zone, need), "nothing");
}

TEST(RecordCache, KeepsAnExpiredKeySoThatItsRefusalCostsNoLookup) {
    test::TestZone zone;
    const Need need = need_of(kStore, 1);
    auto record = record_of(need);
    record->expires = 10;
    keep(*zone, need, answer_of(record));
    const auto found = recall_record(*zone, need, kClock);
    ASSERT_TRUE(found && found->record);
    EXPECT_EQ(found->record->expires, 10);
}

TEST(RecordCache, LetsTheLatestWordWin) {
    for (const bool large : {false, true}) {
        test::TestZone zone;
        const Need need = need_of(kStore, 1);
        keep_unknown(*zone, need);
        keep_version(*zone, need, 1, kClock, large);
        EXPECT_EQ(look(*zone, need), "1") << "a key that was not there is there now";
        EXPECT_EQ(zone->unknown_keys.occupied(), 0u);
        keep_version(*zone, need, 2, kClock, !large);
        EXPECT_EQ(look(*zone, need), "2") << "it has another size";
        EXPECT_EQ(zone->records.occupied() + zone->large_records.occupied(), 1u);
        keep_unknown(*zone, need);
        EXPECT_EQ(look(*zone, need), "unknown") << "it is gone";
        EXPECT_EQ(zone->records.occupied() + zone->large_records.occupied(), 0u);
    }
}

TEST(RecordCache, ForgetsARecordOfEitherSizeAndAnUnknownKey) {
    test::TestZone zone;
    for (unsigned number = 0; number < 3; ++number) {
        const Need need = need_of(kStore, number);
        if (number == 2) {
            keep_unknown(*zone, need);
        } else {
            keep_version(*zone, need, 1, kClock, number == 1);
        }
        ASSERT_NE(look(*zone, need), "nothing");
        EXPECT_TRUE(forget_record(*zone, need, kClock));
        EXPECT_EQ(look(*zone, need), "nothing");
        EXPECT_EQ(zone->records.occupied() + zone->large_records.occupied(), 0u);
    }
}

TEST(RecordCache, KeepsNoAnswerThatWasOnItsWayDuringAChange) {
    test::TestZone zone;
    const Need need = need_of(kStore, 1);
    const RecordLife life;
    ASSERT_TRUE(forget_record(*zone, need, 1010));
    remember_record(*zone, need, answer_of(record_of(need, 1)), life, 1009, 1011);
    EXPECT_EQ(look(*zone, need, 1011), "nothing");
    remember_record(*zone, need, Answer{}, life, 1010, 1011);
    EXPECT_EQ(look(*zone, need, 1011), "nothing") << "asked in the second of the change";
    remember_record(*zone, need, answer_of(record_of(need, 2)), life, 1011, 1011);
    EXPECT_EQ(look(*zone, need, 1011), "2");
    remember_record(*zone, need, answer_of(record_of(need, 1)), life, 1009, 1012);
    EXPECT_EQ(look(*zone, need, 1012), "2") << "asked before what is known";
    remember_record(*zone, need, Answer{}, life, 1012, 1012);
    remember_record(*zone, need, answer_of(record_of(need, 2)), life, 1011, 1013);
    EXPECT_EQ(look(*zone, need, 1013), "unknown");
}

TEST(RecordCache, DropsWhatItKnewWhereTheNewRecordIsTooLarge) {
    test::TestZone zone;
    const Need need = need_of(kStore, 1);
    auto record = record_of(need, 2);
    record->scopes.assign(5, std::string(1000, 's'));
    keep_version(*zone, need, 1);
    keep(*zone, need, answer_of(record));
    EXPECT_EQ(look(*zone, need), "nothing");
    record->scopes.assign(5, std::string(790, 's'));
    keep(*zone, need, answer_of(record));
    const auto found = recall_record(*zone, need, kClock);
    ASSERT_TRUE(found && found->record);
    EXPECT_EQ(found->record->scopes, record->scopes);
}

TEST(RecordCache, WritesNothingWhereTheLockIsTaken) {
    test::TestZone zone;
    const Need known = need_of(kStore, 1), fresh = need_of(kStore, 2);
    keep_version(*zone, known, 1);
    zone.taken = true;
    const std::vector<std::byte> before(zone.bytes().begin(), zone.bytes().end());
    keep_version(*zone, known, 2);
    keep_unknown(*zone, fresh);
    EXPECT_FALSE(forget_record(*zone, known, kClock));
    EXPECT_TRUE(std::ranges::equal(before, zone.bytes()));
    EXPECT_EQ(look(*zone, known), "1");
    zone.taken = false;
    EXPECT_TRUE(forget_record(*zone, known, kClock));
    EXPECT_EQ(look(*zone, known), "nothing");
}

// Whatever word of a slot is changed, the entry reads as it was or not at all.
TEST(RecordCache, NeverReadsADamagedEntry) {
    const Need need = need_of(kStore, 1);
    for (const char* expected : {"1", "2", "unknown"}) {
        test::TestZone zone;
        const std::vector<std::byte> empty(zone.bytes().begin(), zone.bytes().end());
        if (expected[0] == 'u') {
            keep_unknown(*zone, need);
        } else {
            keep_version(*zone, need, expected[0] == '1' ? 1 : 2, kClock, expected[0] == '2');
        }
        std::size_t words = 0, lost = 0;
        for (std::size_t at = 0; at < zone.bytes().size(); at += 8) {
            if (std::ranges::equal(zone.bytes().subspan(at, 8), std::span(empty).subspan(at, 8))) {
                continue;
            }
            ++words;
            for (const unsigned bit : {0u, 13u, 31u, 32u, 50u, 63u}) {
                std::byte& octet = zone.bytes()[at + bit / 8];
                octet ^= std::byte{1} << (bit % 8);
                const std::string found = look(*zone, need);
                EXPECT_TRUE(found == expected || found == "nothing") << at << " " << bit << found;
                // A damaged expiry does not make it live longer.
                EXPECT_EQ(look(*zone, need, kClock + 60), "nothing");
                lost += found == "nothing";
                octet ^= std::byte{1} << (bit % 8);
            }
        }
        EXPECT_EQ(look(*zone, need), expected);
        // All but: the table's count, the sequence, the second of last use, the slot's expiry.
        EXPECT_GE(lost + 4 * 6, words * 6) << words;
        EXPECT_GE(words, 6u);
    }
}

// An entry of another key, store or kind, copied as it stands to where this key's record would be.
TEST(RecordCache, NeverReadsAnEntryOfSomebodyElse) {
    const KeyStore other = test_store("other");
    const Need mine = need_of(kStore, 1);
    const auto place_of = [](test::TestZone& zone, const Need& need) {
        std::array<std::uint64_t, 5> name;
        std::memcpy(name.data(), need.digest.data(), need.digest.size());
        name[4] = need.store->epoch;
        return cache::fingerprint(zone->fingerprint_key(),
                                  {reinterpret_cast<const char*>(name.data()), sizeof(name)});
    };
    for (const Need& foreign : {need_of(other, 1), need_of(kStore, 2)}) {
        test::TestZone zone;
        keep_version(*zone, foreign, 7);
        std::array<std::uint64_t, 60> payload;
        ASSERT_TRUE(zone->records.find(place_of(zone, foreign), kClock, payload));
        zone->records.insert(place_of(zone, mine), kClock, kClock + 60, payload);
        EXPECT_EQ(look(*zone, mine), "nothing");
        zone->unknown_keys.insert(place_of(zone, mine), kClock, kClock + 60,
                                  std::span(payload).first(4));
        EXPECT_EQ(look(*zone, mine), "nothing");
    }
    test::TestZone zone;
    keep_unknown(*zone, mine);
    std::array<std::uint64_t, 4> payload;
    ASSERT_TRUE(zone->unknown_keys.find(place_of(zone, mine), kClock, payload));
    zone->unknown_keys.erase(place_of(zone, mine));
    zone->records.insert(place_of(zone, mine), kClock, kClock + 60, payload);
    EXPECT_EQ(look(*zone, mine), "nothing");
}

TEST(RecordCache, HoldsNeitherKeysNorDigests) {
    test::TestZone zone;
    const Need known = need_of(kStore, 1), unknown = need_of(kStore, 2);
    keep_version(*zone, known, 1);
    keep_unknown(*zone, unknown);
    const std::string_view memory(reinterpret_cast<const char*>(zone.bytes().data()),
                                  zone.bytes().size());
    EXPECT_NE(memory.find("id1"), std::string_view::npos) << "this search finds what is there";
    for (const Need& need : {known, unknown}) {
        const std::string hex = to_hex(need.digest);
        for (const std::string_view secret : {text_of(need.digest), std::string_view(hex)}) {
            EXPECT_EQ(memory.find(secret.substr(0, 16)), std::string_view::npos);
        }
    }
    EXPECT_EQ(memory.find("key 1"), std::string_view::npos);
}

// Random sequences against a map. Few keys, so that nothing is evicted.
TEST(RecordCache, BehavesAsAMap) {
    struct Known {
        std::string text;
        Seconds asked = 0;
        Seconds expires = 0;
    };
    const KeyStore stores[] = {test_store("a"), test_store("b")};
    for (unsigned seed = 1; seed <= 5; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        test::TestZone zone(std::size_t{4} << 20);
        std::mt19937 random(seed);
        std::map<std::pair<unsigned, unsigned>, Known> model;
        Seconds clock = 1000;
        for (unsigned step = 1; step <= 4000; ++step) {
            const unsigned store = random() % 2, number = random() % 8;
            const Need need = need_of(stores[store], number);
            Known& known = model[{store, number}];
            const Seconds asked = clock - static_cast<Seconds>(random() % 3);
            const bool live = known.expires > clock;
            const unsigned dice = random() % 10;
            if (dice < 5) {
                const bool found = dice < 3;
                const bool large = number < 2 && random() % 2 == 0;
                const RecordLife life{static_cast<Seconds>(random() % 40),
                                      static_cast<Seconds>(random() % 8)};
                const Answer answer = found ? answer_of(record_of(need, step, large)) : Answer{};
                remember_record(*zone, need, answer, life, asked, clock);
                if (!live || asked >= known.asked) {
                    known = {found ? std::to_string(step) : "unknown", asked,
                             asked + (found ? life.valid : life.negative)};
                }
            } else if (dice < 6) {
                ASSERT_TRUE(forget_record(*zone, need, clock));
                known = {"nothing", clock + 1, clock + 60};
            } else if (dice < 7) {
                clock += random() % 4;
            }
            for (const unsigned other : {number, static_cast<unsigned>(random() % 8)}) {
                const Known& expected = model[{store, other}];
                ASSERT_EQ(look(*zone, need_of(stores[store], other), clock),
                          expected.expires > clock ? expected.text : "nothing")
                    << step;
            }
        }
    }
}

}  // namespace
}  // namespace gate::policy
