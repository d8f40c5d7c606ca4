// The table of the zone against a map. The first octet says how many sets; then operations of three
// octets each: what, key, argument. Line ends are skipped. i: insert with argument seconds to live,
// s: insert a short payload, f: find, u: update, e: erase, t: time goes on, d: a writer dies at
// work on slot number argument.
#include <cstring>
#include <map>
#include <memory>
#include <vector>

#include "cache/table.h"
#include "tests/fuzz/fuzz.h"

namespace {

using gate::cache::Fingerprint;
using gate::cache::Table;

constexpr std::size_t kSlot = 128;
constexpr std::size_t kWords = 12;
constexpr std::size_t kMaxSets = 4;

struct Entry {
    std::vector<std::uint64_t> payload;
    std::uint32_t expires;
};

struct alignas(64) Memory {
    std::byte bytes[kMaxSets * Table::kWays * kSlot + 64] = {};
};

Fingerprint key_of(std::uint8_t number) {
    // Odd factors: distinct keys, spread over the sets.
    return {number * 0x9e3779b97f4a7c15, number * 0xbf58476d1ce4e5b9};
}

class Run {
public:
    explicit Run(std::size_t sets)
        : memory_(std::make_unique<Memory>()),
          table_(std::span(memory_->bytes).first(sets * Table::kWays * kSlot + 64), kSlot) {
        GATE_INVARIANT(table_.capacity() == sets * Table::kWays);
        GATE_INVARIANT(table_.payload_words() == kWords);
    }

    void step(char what, std::uint8_t number, std::uint8_t argument) {
        switch (what) {
            case 'i':
                return insert(number, argument, kWords);
            case 's':
                return insert(number, 200, argument % kWords);
            case 'u':
                return update(number, argument);
            case 'e':
                return erase(number);
            case 't':
                now_ += argument;
                return;
            case 'd':
                return die(argument);
            default:
                return find(number, argument % (kWords + 1));
        }
    }

    void finish() {
        for (unsigned number = 0; number < 256; ++number) {
            find(static_cast<std::uint8_t>(number), kWords);
        }
    }

private:
    bool live(std::uint8_t number) const {
        const auto known = model_.find(number);
        return known != model_.end() && known->second.expires > now_;
    }

    void insert(std::uint8_t number, std::uint32_t seconds, std::size_t words) {
        std::vector<std::uint64_t> payload(words);
        for (std::uint64_t& word : payload) word = ++counter_;
        const std::size_t before = table_.occupied();
        table_.insert(key_of(number), now_, now_ + seconds, payload);
        // In place of another, or of itself.
        may_lose_ += table_.occupied() <= before;
        payload.resize(kWords);
        model_.insert_or_assign(number, Entry{payload, now_ + seconds});
        std::uint64_t copy[kWords];
        GATE_INVARIANT(table_.find(key_of(number), now_, copy) == (seconds > 0));
        find(number, kWords);
    }

    void update(std::uint8_t number, std::size_t word) {
        word %= kWords;
        const bool done = table_.update(key_of(number), word, ++counter_);
        GATE_INVARIANT(!done || model_.contains(number));
        GATE_INVARIANT(table_.occupied() <= table_.capacity());
        if (done) model_[number].payload[word] = counter_;
        find(number, kWords);
    }

    void erase(std::uint8_t number) {
        const bool done = table_.erase(key_of(number));
        GATE_INVARIANT(!done || model_.contains(number));
        if (!done && live(number)) ++lost_;
        model_.erase(number);
        std::uint64_t copy[kWords];
        GATE_INVARIANT(!table_.find(key_of(number), 0, copy));
    }

    void find(std::uint8_t number, std::size_t words) {
        std::vector<std::uint64_t> copy(words);
        if (table_.find(key_of(number), now_, copy)) {
            GATE_INVARIANT(live(number));
            const std::vector<std::uint64_t>& payload = model_[number].payload;
            GATE_INVARIANT(std::equal(copy.begin(), copy.end(), payload.begin()));
        } else if (live(number)) {
            model_.erase(number);
            ++lost_;
        }
        GATE_INVARIANT(lost_ <= may_lose_);
        GATE_INVARIANT(table_.occupied() <= table_.capacity());
    }

    // What a writer leaves that was killed between its stores: an odd sequence, half a payload.
    void die(std::size_t slot) {
        std::byte* const at = memory_->bytes + slot % table_.capacity() * kSlot;
        at[0] |= std::byte{1};
        std::memset(at + Table::kHeadSize + 8, 0xdd, 16);
        ++may_lose_;
    }

    std::unique_ptr<Memory> memory_;
    Table table_;
    std::map<std::uint8_t, Entry> model_;
    std::uint32_t now_ = 1000;
    std::uint64_t counter_ = 0;
    std::uint64_t lost_ = 0;
    std::uint64_t may_lose_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    Run run(1 + data[0] % kMaxSets);
    for (std::size_t at = 1; at + 3 <= size;) {
        if (data[at] == '\n') {
            ++at;
            continue;
        }
        run.step(static_cast<char>(data[at]), data[at + 1], data[at + 2]);
        at += 3;
    }
    run.finish();
    return 0;
}
