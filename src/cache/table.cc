#include "cache/table.h"

#include <algorithm>

#include "cache/failpoint.h"
#include "cache/words.h"

namespace gate::cache {

namespace {

// A slot: sequence (64 bits), second of last use (32), expiry (32; 0: free), fingerprint (128),
// payload.
constexpr std::size_t kUsed = 8;
constexpr std::size_t kExpires = 12;
constexpr std::size_t kHigh = 16;
constexpr std::size_t kLow = 24;
constexpr std::size_t kTableHead = 64;
constexpr std::size_t kHeadSize = Table::kHeadSize;

// A new entry counts as last used this many seconds ago, until it is used for the first time: what
// comes once and never again goes before what has been used lately.
constexpr std::uint32_t kUnproven = 30;

bool holds_key(const std::byte* slot, const Fingerprint& key) noexcept {
    return load_word(slot + kLow) == key.low && load_word(slot + kHigh) == key.high;
}

bool is_odd(std::uint64_t sequence) noexcept {
    return (sequence & 1) != 0;
}

// Seconds since the last use; clocks of two processes may differ by a little.
std::int32_t age(const std::byte* slot, std::uint32_t now) noexcept {
    return static_cast<std::int32_t>(now - load_half(slot + kUsed));
}

// A writer at work on one slot: from its first store to finish() readers take the slot as absent.
class Edit {
public:
    explicit Edit(std::byte* slot) noexcept : slot_(slot), next_((load_word(slot) | 1) + 1) {
        GATE_FAILPOINT("table.open");
        store_word(slot_, next_ - 1);
        // Pairs with the acquire fence in find(): who reads anything stored behind this line reads
        // the odd sequence behind its own fence.
        std::atomic_thread_fence(std::memory_order_release);
    }
    void finish() noexcept {
        GATE_FAILPOINT("table.close");
        // Pairs with the acquire load in find(): who reads this sequence reads all of the edit.
        word_at(slot_).store(next_, std::memory_order_release);
    }

private:
    std::byte* slot_;
    std::uint64_t next_;
};

// Copies the payload of a slot that seems to hold the key, and marks it as used.
[[gnu::noinline]] bool read_slot(std::byte* slot, const Fingerprint& key, std::uint32_t now,
                                 std::span<std::uint64_t> payload) noexcept {
    // Pairs with the release store in Edit::finish().
    const std::uint64_t sequence = word_at(slot).load(std::memory_order_acquire);
    if (is_odd(sequence) || !holds_key(slot, key)) return false;
    const std::uint32_t expires = load_half(slot + kExpires);
    const std::byte* word = slot + kHeadSize;
#pragma GCC unroll 4
    for (std::uint64_t& value : payload) {
        value = load_word(word);
        word += 8;
    }
    // Pairs with the release fence in Edit: had any of the loads above seen a store of a later
    // edit, the load below would see its odd sequence, or a later one.
    std::atomic_thread_fence(std::memory_order_acquire);
    if (load_word(slot) != sequence || expires <= now) return false;
    // A store a second and slot: the line stays shared between the processors otherwise. It may hit
    // an entry that has just taken the slot, which does no harm.
    if (load_half(slot + kUsed) != now) store_half(slot + kUsed, now);
    return true;
}

}  // namespace

// Where a fingerprint may stand: two sets, and in each the way at which the search begins.
struct Table::Home {
    std::byte* sets[2];
    std::size_t way;
    std::size_t count;  // 1 where both sets are the same

    // The slot to look at as the `step`th of a set.
    std::byte* slot(std::size_t set, std::size_t step, std::size_t slot_size) const noexcept {
        return sets[set] + ((way + step) & (kWays - 1)) * slot_size;
    }
};

Table::Table(std::span<std::byte> memory, std::size_t slot_size) noexcept
    : slots_(memory.data()),
      slot_size_(slot_size),
      sets_((memory.size() - kTableHead) / (slot_size * kWays)) {
    // The head stands behind the slots, so that these are as well aligned as the memory is.
    head_ = slots_ + sets_ * kWays * slot_size_;
}

std::size_t Table::payload_words() const noexcept {
    return (slot_size_ - kHeadSize) / 8;
}

std::size_t Table::capacity() const noexcept {
    return sets_ * kWays;
}

std::size_t Table::occupied() const noexcept {
    return load_word(head_);
}

inline Table::Home Table::home(const Fingerprint& key) const noexcept {
    const std::size_t first = place_of(key.high, sets_);
    const std::size_t second = place_of(key.low, sets_);
    const std::size_t set_size = kWays * slot_size_;
    return {{slots_ + first * set_size, slots_ + second * set_size},
            static_cast<std::size_t>(key.low) & (kWays - 1),
            first == second ? std::size_t{1} : std::size_t{2}};
}

bool Table::find(const Fingerprint& key, std::uint32_t now,
                 std::span<std::uint64_t> payload) const noexcept {
    const Home at = home(key);
    const std::uint64_t low = key.low;
    const std::size_t slot_size = slot_size_;
    std::size_t way = at.way;
    // Both sets side by side: most entries stand at or right behind the home way of one of them.
    // Half of the key is a hint that costs one load; read_slot() looks at all of it.
    for (std::size_t step = 0; step < kWays; ++step) {
        std::byte* const first = at.sets[0] + way * slot_size;
        if (load_word(first + kLow) == low && read_slot(first, key, now, payload)) return true;
        std::byte* const second = at.sets[1] + way * slot_size;
        if (load_word(second + kLow) == low && read_slot(second, key, now, payload)) return true;
        way = (way + 1) & (kWays - 1);
    }
    return false;
}

std::byte* Table::locate(const Fingerprint& key) noexcept {
    const Home at = home(key);
    std::byte* found = nullptr;
    for (std::size_t set = 0; set < at.count; ++set) {
        for (std::size_t step = 0; step < kWays; ++step) {
            std::byte* const slot = at.slot(set, step, slot_size_);
            repair(slot);
            if (load_half(slot + kExpires) != 0 && holds_key(slot, key)) found = slot;
        }
    }
    return found;
}

// Where a new entry goes; every slot of both sets has been repaired by locate().
std::byte* Table::choose(const Fingerprint& key, std::uint32_t now) noexcept {
    const Home at = home(key);
    std::byte* best = nullptr;
    std::size_t best_live = kWays + 1;
    for (std::size_t set = 0; set < at.count; ++set) {
        std::byte* free = nullptr;
        std::byte* expired = nullptr;
        std::byte* oldest = nullptr;
        std::size_t live = 0;
        for (std::size_t step = 0; step < kWays; ++step) {
            std::byte* const slot = at.slot(set, step, slot_size_);
            const std::uint32_t expires = load_half(slot + kExpires);
            if (expires == 0) {
                if (free == nullptr) free = slot;
            } else if (expires <= now) {
                if (expired == nullptr) expired = slot;
            } else {
                ++live;
                if (oldest == nullptr || age(slot, now) > age(oldest, now)) oldest = slot;
            }
        }
        std::byte* const candidate = free != nullptr ? free : expired != nullptr ? expired : oldest;
        const bool older =
            live == kWays && best_live == kWays && age(candidate, now) > age(best, now);
        if (live < best_live || older) {
            best = candidate;
            best_live = live;
        }
    }
    return best;
}

void Table::repair(std::byte* slot) noexcept {
    if (!is_odd(load_word(slot))) return;
    Edit edit(slot);
    clear(slot);
    edit.finish();
}

void Table::clear(std::byte* slot) noexcept {
    if (load_half(slot + kExpires) == 0) return;
    GATE_FAILPOINT("table.clear");
    store_half(slot + kExpires, 0);
    // A writer that dies here leaves the count one too high.
    const std::uint64_t count = load_word(head_);
    GATE_FAILPOINT("table.count_down");
    store_word(head_, count == 0 ? 0 : count - 1);
}

void Table::insert(const Fingerprint& key, std::uint32_t now, std::uint32_t expires,
                   std::span<const std::uint64_t> payload) noexcept {
    std::byte* slot = locate(key);
    if (expires <= now) {
        if (slot != nullptr) remove(slot);
        return;
    }
    if (slot == nullptr) slot = choose(key, now);
    Edit edit(slot);
    GATE_FAILPOINT("table.high");
    store_word(slot + kHigh, key.high);
    GATE_FAILPOINT("table.low");
    store_word(slot + kLow, key.low);
    GATE_FAILPOINT("table.used");
    store_half(slot + kUsed, now - kUnproven);
    std::byte* word = slot + kHeadSize;
    for (std::size_t i = 0; i < payload_words(); ++i, word += 8) {
        GATE_FAILPOINT("table.payload");
        store_word(word, i < payload.size() ? payload[i] : 0);
    }
    if (load_half(slot + kExpires) == 0) {
        // Before the expiry, by which a repair knows that the slot has been counted.
        const std::uint64_t count = load_word(head_);
        GATE_FAILPOINT("table.count_up");
        store_word(head_, std::min<std::uint64_t>(count + 1, capacity()));
    }
    GATE_FAILPOINT("table.expires");
    store_half(slot + kExpires, expires);
    edit.finish();
}

bool Table::update(const Fingerprint& key, std::size_t word, std::uint64_t value) noexcept {
    std::byte* const slot = locate(key);
    if (slot == nullptr) return false;
    Edit edit(slot);
    GATE_FAILPOINT("table.update");
    store_word(slot + kHeadSize + word * 8, value);
    edit.finish();
    return true;
}

bool Table::erase(const Fingerprint& key) noexcept {
    std::byte* const slot = locate(key);
    if (slot == nullptr) return false;
    remove(slot);
    return true;
}

void Table::remove(std::byte* slot) noexcept {
    Edit edit(slot);
    clear(slot);
    edit.finish();
}

}  // namespace gate::cache
