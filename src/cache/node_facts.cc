#include "cache/node_facts.h"

#include <algorithm>
#include <cstring>

namespace gate::cache {

namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr std::uint64_t kForgotten = 60'000;

void forget(IntegrationState& state) noexcept {
    state.withdrawn.store(0, kRelaxed);
    state.stale.store(0, kRelaxed);
    state.judged.store(0, kRelaxed);
    state.reason.write({});
}

void forget(RedisState& state) noexcept {
    for (auto* const fact :
         {&state.ready, &state.answer, &state.failure, &state.filled, &state.empty, &state.epoch}) {
        fact->store(0, kRelaxed);
    }
    for (auto& waiting : state.waiting) waiting.store(0, kRelaxed);
}

// A process that finds the name while another one empties the place may lose what it notes at that
// moment; workers note all again within the second.
template <class State>
State* find_or_claim(std::span<State> all, std::uint64_t name, std::uint64_t now) noexcept {
    for (State& state : all) {
        if (state.name.load(kRelaxed) == name) return &state;
    }
    for (State& state : all) {
        // Pairs with the exchange: who sees a name sees when it was seen.
        std::uint64_t found = state.name.load(std::memory_order_acquire);
        if (found == name) return &state;
        const std::uint64_t seen = state.seen.load(kRelaxed);
        if (found != 0 && (now < seen || now - seen < kForgotten)) continue;
        // Before the name, so that nobody takes a newcomer for one that is forgotten.
        state.seen.store(now, kRelaxed);
        if (state.name.compare_exchange_strong(found, name, std::memory_order_acq_rel)) {
            if (found != 0) forget(state);
            return &state;
        }
        if (found == name) return &state;
    }
    return nullptr;
}

}  // namespace

void SharedText::write(std::string_view text) noexcept {
    const std::size_t size = std::min(text.size(), kMaxSize);
    std::array<std::uint64_t, kWords> words{};
    if (size > 0) std::memcpy(words.data(), text.data(), size);
    const std::uint64_t odd = sequence_.load(kRelaxed) | 1;
    sequence_.store(odd, kRelaxed);
    // Pairs with the acquire fence in read(): who sees one of the words sees the odd number.
    std::atomic_thread_fence(std::memory_order_release);
    for (std::size_t i = 0; i < kWords; ++i) words_[i].store(words[i], kRelaxed);
    // Pairs with the acquire load in read().
    sequence_.store(odd + 1, std::memory_order_release);
}

std::string SharedText::read() const {
    constexpr int kTries = 100;
    for (int i = 0; i < kTries; ++i) {
        const std::uint64_t before = sequence_.load(std::memory_order_acquire);
        std::array<std::uint64_t, kWords + 1> words{};
        for (std::size_t w = 0; w < kWords; ++w) words[w] = words_[w].load(kRelaxed);
        // Pairs with the release fence in write().
        std::atomic_thread_fence(std::memory_order_acquire);
        if (before % 2 == 0 && sequence_.load(kRelaxed) == before) {
            return reinterpret_cast<const char*>(words.data());
        }
    }
    return {};
}

IntegrationState* place_for(std::span<IntegrationState> all, std::uint64_t name,
                            std::uint64_t now) noexcept {
    return find_or_claim(all, name, now);
}

RedisState* place_for(std::span<RedisState> all, std::uint64_t name, std::uint64_t now) noexcept {
    return find_or_claim(all, name, now);
}

}  // namespace gate::cache
