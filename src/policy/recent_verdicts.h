// What this process has just read of the verdicts in shared memory, found by the credential's own
// text: who comes again within the second costs a comparison, not a fingerprint and a look into the
// zone. An entry is good for the second it was read in; later it still spares the fingerprint.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "apikey/record.h"
#include "base/local_ptr.h"
#include "cache/fingerprint.h"
#include "policy/principal.h"
#include "policy/verdict.h"

namespace gate::policy {

// Where the principal of one verdict stands when somebody has asked for it: for all requests that
// come with the same token.
struct SharedPrincipal : LocalCount {
    explicit SharedPrincipal(const VerdictWords& of) : words(of) {}
    VerdictWords words;
    std::shared_ptr<const Principal> principal;
};

// Where the record of an API key stands for all requests that come with it.
struct SharedRecord : LocalCount {
    explicit SharedRecord(std::shared_ptr<const apikey::Record> of) : record(std::move(of)) {}
    std::shared_ptr<const apikey::Record> record;
};

// An API key's record that was good at one second, whatever the client's address.
struct GoodKey {
    LocalPtr<SharedRecord> shared;
    std::uint64_t store_state = 0;  // KeyStore::state; 0: none
    std::uint64_t clean_at = 0;     // Revocations::changes() before it was judged
    std::uint32_t at = 0;           // seconds
};

// Not thread-safe. A stranger can make it forget, but not take one credential for another.
class RecentVerdicts {
public:
    static constexpr std::size_t kMaxText = 2048;  // octets; longer ones are not kept
    static constexpr std::uint32_t kIdle = 60;     // seconds

    struct alignas(64) Entry {
        std::uint64_t mark = 0;  // of the text that came last
        std::string text;
        LocalPtr<SharedPrincipal> identity;  // of these words
        std::uint32_t read_at = 0;
        VerdictWords words{};
        cache::Fingerprint fingerprint;
        GoodKey key;  // of this text
    };

    RecentVerdicts() : entries_(kEntries) {}
    ~RecentVerdicts();
    RecentVerdicts(const RecentVerdicts&) = delete;
    RecentVerdicts& operator=(const RecentVerdicts&) = delete;

    // The entry of exactly these octets, whenever it was read; nullptr: none. Valid until note().
    const Entry* find(std::string_view text) const noexcept {
        if (text.size() < sizeof(std::uint64_t)) return nullptr;
        const std::uint64_t mark = mark_of(text);
        const Entry& entry = entries_[place_of(mark)];
        return entry.mark == mark && entry.text == text ? &entry : nullptr;
    }

    // Keeps what the zone said of `text` in the second `now`, if it is not the first that comes to
    // its place: one of many that never come again costs no copy. The entry, or nullptr. Throws
    // bad_alloc.
    const Entry* note(std::string_view text, const cache::Fingerprint& fingerprint,
                      const VerdictWords& words, std::uint32_t now);

    // Keeps that the key of exactly these octets is good, if they have an entry.
    void note_key(std::string_view text, GoodKey key) noexcept;

    // Wipes what has not been read from the zone for kIdle seconds.
    void sweep(std::uint32_t now) noexcept;

private:
    static constexpr unsigned kBits = 10;
    static constexpr std::size_t kEntries = std::size_t{1} << kBits;

    // Credentials differ at their ends.
    static std::uint64_t mark_of(std::string_view text) noexcept {
        std::uint64_t end;
        std::memcpy(&end, text.data() + text.size() - sizeof end, sizeof end);
        return (end ^ text.size()) * 0x9e3779b97f4a7c15;
    }
    static std::size_t place_of(std::uint64_t mark) noexcept { return mark >> (64 - kBits); }

    std::vector<Entry> entries_;
};

}  // namespace gate::policy
