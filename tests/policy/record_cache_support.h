// What the tests of kept key records share: keys, stores, and records that say whose they are.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "policy/epoch.h"
#include "policy/record_cache.h"

namespace gate::policy {

inline constexpr Seconds kClock = 5000;

inline KeyStore test_store(const std::string& name) {
    KeyStore store;
    store.name = name;
    store.epoch = epoch_of_store(name, "rules");
    return store;
}

inline Need need_of(const KeyStore& store, unsigned number) {
    return {&store, crypto::sha256(bytes_of("key " + std::to_string(number)))};
}

// `large`: more than the small slots hold.
inline std::shared_ptr<apikey::Record> record_of(const Need& need, unsigned version = 0,
                                                 bool large = false) {
    auto record = std::make_shared<apikey::Record>();
    record->id = "id" + std::to_string(version);
    record->digest = to_hex(need.digest);
    record->name = std::to_string(version) + (large ? std::string(900, 'n') : "");
    record->scopes = {"a:" + std::to_string(version), "b:*"};
    record->created = static_cast<Seconds>(version);
    return record;
}

inline Answer answer_of(std::shared_ptr<const apikey::Record> record) {
    Answer answer;
    answer.record = std::move(record);
    return answer;
}

// "nothing", "unknown", or the record's version; "mixed" for what no version of it is.
inline std::string text_of_answer(const std::optional<Answer>& answer, const Need& need) {
    if (!answer) return "nothing";
    if (answer->failure != Reason::kNone) return "failure";
    if (!answer->record) return "unknown";
    const apikey::Record& record = *answer->record;
    const auto version = static_cast<unsigned>(record.created);
    const bool large = record.name.size() > 100;
    return record.to_json() == record_of(need, version, large)->to_json() ? std::to_string(version)
                                                                          : "mixed";
}

inline std::string look(const cache::Zone& zone, const Need& need, Seconds clock = kClock) {
    return text_of_answer(recall_record(zone, need, clock), need);
}

inline void keep(cache::Zone& zone, const Need& need, const Answer& answer, Seconds clock = kClock,
                 const RecordLife& life = {}) {
    remember_record(zone, need, answer, life, clock, clock);
}

inline void keep_version(cache::Zone& zone, const Need& need, unsigned version,
                         Seconds clock = kClock, bool large = false) {
    keep(zone, need, answer_of(record_of(need, version, large)), clock);
}

inline void keep_unknown(cache::Zone& zone, const Need& need, Seconds clock = kClock) {
    keep(zone, need, Answer{}, clock);
}

}  // namespace gate::policy
