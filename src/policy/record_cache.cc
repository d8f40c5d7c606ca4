#include "policy/record_cache.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <span>

#include "apikey/packed_record.h"
#include "base/bytes.h"
#include "base/siphash.h"

namespace gate::policy {

namespace {

using cache::Fingerprint;
using cache::Table;
using cache::Zone;

// Longer than any lookup may take.
constexpr Seconds kChangeLife = 60;

enum class Kind : std::uint32_t { kUnknown = 1, kChanged, kRecord };

// The name of an entry: the digest of a key and the epoch of its store.
using Name = std::array<std::uint64_t, 5>;

Name name_of(const Need& need) noexcept {
    static_assert(sizeof(need.digest) == 4 * sizeof(std::uint64_t));
    Name name;
    std::memcpy(name.data(), need.digest.data(), need.digest.size());
    name[4] = need.store->epoch;
    return name;
}

Bytes octets_of(std::span<const std::uint64_t> words) noexcept {
    return {reinterpret_cast<const std::uint8_t*>(words.data()), words.size_bytes()};
}

Fingerprint fingerprint_of(const Zone& zone, const Name& name) noexcept {
    return cache::fingerprint(zone.fingerprint_key(), text_of(octets_of(name)));
}

// An entry on its way: the name, which is not stored, then the payload of a slot. Its first word is
// the seal, a keyed digest of the name and of all that follows; while that is computed, the last
// word of the name stands in its place.
class Entry {
public:
    Entry(const Zone& zone, const Name& name) noexcept : zone_(zone), epoch_(name.back()) {
        std::ranges::copy(name, words_.begin());
    }

    // The entry in a table, if it is whole and this key's.
    bool read(const Table& table, const Fingerprint& place, std::uint32_t now) noexcept {
        const std::size_t room = table.payload_words();
        if (!table.find(place, now, std::span(words_).subspan(kSeal, room))) return false;
        if (size() > (room - kHead) * sizeof(std::uint64_t)) return false;
        const std::uint64_t seal = words_[kSeal];
        // The slot's own expiry is not under the seal.
        return computed_seal() == seal && static_cast<std::uint32_t>(words_[kLife]) > now;
    }

    std::span<std::uint8_t> body() noexcept {
        return {reinterpret_cast<std::uint8_t*>(words_.data() + kBody),
                (words_.size() - kBody) * sizeof(std::uint64_t)};
    }
    std::size_t size() const noexcept { return static_cast<std::uint32_t>(words_[kMeta]); }
    // Seconds.
    std::uint32_t asked() const noexcept { return static_cast<std::uint32_t>(words_[kLife] >> 32); }
    Kind kind() const noexcept { return Kind{static_cast<std::uint32_t>(words_[kMeta] >> 32)}; }

    // Completes an entry whose body has been written.
    void close(Kind kind, std::size_t size, std::uint32_t asked, std::uint32_t expires) noexcept {
        words_[kLife] = std::uint64_t{asked} << 32 | expires;
        words_[kMeta] = std::uint64_t{static_cast<std::uint32_t>(kind)} << 32 | size;
        const std::size_t end = kBody * sizeof(std::uint64_t) + size;
        std::memset(reinterpret_cast<std::uint8_t*>(words_.data()) + end, 0,
                    count() * sizeof(std::uint64_t) - end);
        words_[kSeal] = computed_seal();
    }
    std::span<const std::uint64_t> payload() const noexcept {
        return std::span(words_).subspan(kSeal, count() - kSeal);
    }

    // When the store was asked for what a payload says.
    static std::uint32_t asked_of(const std::array<std::uint64_t, 2>& payload) noexcept {
        return static_cast<std::uint32_t>(payload[kLife - kSeal] >> 32);
    }

private:
    static constexpr std::size_t kSeal = std::tuple_size_v<Name> - 1;
    static constexpr std::size_t kLife = kSeal + 1;  // asked, expires
    static constexpr std::size_t kMeta = kLife + 1;  // kind, octets of the body
    static constexpr std::size_t kBody = kMeta + 1;
    static constexpr std::size_t kHead = kBody - kSeal;
    static constexpr std::size_t kMaxPayload =
        (cache::kLargeRecordSlot - Table::kHeadSize) / sizeof(std::uint64_t);

    // Words in use, the name's included.
    std::size_t count() const noexcept {
        return kBody + (size() + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t);
    }
    std::uint64_t computed_seal() noexcept {
        words_[kSeal] = epoch_;
        return siphash64(zone_.seed(), octets_of(std::span(words_).first(count())));
    }

    const Zone& zone_;
    std::uint64_t epoch_;
    std::array<std::uint64_t, kSeal + kMaxPayload> words_;
};

// Writer lock held. In between nothing is known of the key, never two things.
void put(Zone& zone, Table& home, const Fingerprint& place, std::uint32_t now,
         std::uint32_t expires, const Entry& entry) noexcept {
    for (Table* table : {&zone.unknown_keys, &zone.records, &zone.large_records}) {
        if (table != &home) table->erase(place);
    }
    home.insert(place, now, expires, entry.payload());
}

// Whether an answer to a question of then is older than what is known. Writer lock held.
bool is_outdated(const Zone& zone, const Fingerprint& place, std::uint32_t asked,
                 std::uint32_t now) noexcept {
    return std::ranges::any_of(std::array{&zone.unknown_keys, &zone.records, &zone.large_records},
                               [&](const Table* table) {
                                   std::array<std::uint64_t, 2> head;
                                   return table->find(place, now, head) &&
                                          asked < Entry::asked_of(head);
                               });
}

bool fits(const Table& table, const Entry& entry) noexcept {
    return entry.payload().size() <= table.payload_words();
}

}  // namespace

std::optional<Answer> recall_record(const Zone& zone, const Need& need, Seconds clock,
                                    Seconds since) {
    if (need.store->epoch == 0) return std::nullopt;
    const Name name = name_of(need);
    const Fingerprint place = fingerprint_of(zone, name);
    const std::uint32_t now = saturated(clock);
    Entry entry(zone, name);
    if (entry.read(zone.unknown_keys, place, now)) {
        if (entry.asked() < since) return std::nullopt;
        return entry.kind() == Kind::kUnknown ? std::optional(Answer{}) : std::nullopt;
    }
    const bool there =
        entry.read(zone.records, place, now) || entry.read(zone.large_records, place, now);
    if (!there || entry.kind() != Kind::kRecord || entry.asked() < since) return std::nullopt;
    auto record = apikey::unpack(entry.body().first(entry.size()));
    if (!record) return std::nullopt;
    record->digest = to_hex(need.digest);
    Answer answer;
    answer.record = std::make_shared<const apikey::Record>(*std::move(record));
    // The seal is the digest's, too.
    answer.found_by_digest = true;
    return answer;
}

void remember_record(Zone& zone, const Need& need, const Answer& answer, const RecordLife& life,
                     Seconds asked, Seconds clock) {
    if (need.store->epoch == 0 || answer.failure != Reason::kNone) return;
    if (answer.record && answer.record->digest != to_hex(need.digest)) return;
    const Name name = name_of(need);
    const Fingerprint place = fingerprint_of(zone, name);
    const std::uint32_t now = saturated(clock);
    const std::uint32_t since = saturated(asked);
    std::uint32_t expires = saturated(asked + (answer.record ? life.valid : life.negative));
    Entry entry(zone, name);
    Table* home = &zone.unknown_keys;
    if (!answer.record) {
        entry.close(Kind::kUnknown, 0, since, expires);
    } else if (const auto size = apikey::pack(*answer.record, entry.body())) {
        entry.close(Kind::kRecord, *size, since, expires);
        home = fits(zone.records, entry) ? &zone.records : &zone.large_records;
    } else {
        // Whatever was known is no longer so.
        expires = saturated(clock + kChangeLife);
        entry.close(Kind::kChanged, 0, since, expires);
    }
    const auto writer = zone.try_write();
    if (!writer || is_outdated(zone, place, since, now)) return;
    put(zone, *home, place, now, expires, entry);
}

bool forget_record(Zone& zone, const Need& need, Seconds clock) {
    if (need.store->epoch == 0) return true;
    const Name name = name_of(need);
    const Fingerprint place = fingerprint_of(zone, name);
    const std::uint32_t now = saturated(clock);
    const std::uint32_t expires = saturated(clock + kChangeLife);
    Entry entry(zone, name);
    // Who asked in this second may have asked before the change.
    entry.close(Kind::kChanged, 0, saturated(clock + 1), expires);
    const auto writer = zone.try_write();
    if (!writer) return false;
    put(zone, zone.unknown_keys, place, now, expires, entry);
    zone.revocations.note_change();
    return true;
}

}  // namespace gate::policy
