// Words of 64 and 32 bits in raw shared memory, read and written as atomics. Everything that
// several processes touch goes through these, so that no access is a data race; orders other than
// relaxed are spelled at the call, with the partner they pair with.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace gate::cache {

using Word = std::atomic_ref<std::uint64_t>;
using HalfWord = std::atomic_ref<std::uint32_t>;

// A lock inside the atomics would be one of the process, not of the memory.
static_assert(Word::is_always_lock_free && HalfWord::is_always_lock_free);

// `at` is aligned to the word's size. Readers of const memory only load.
inline Word word_at(const std::byte* at) noexcept {
    return Word(*reinterpret_cast<std::uint64_t*>(const_cast<std::byte*>(at)));
}
inline HalfWord half_at(const std::byte* at) noexcept {
    return HalfWord(*reinterpret_cast<std::uint32_t*>(const_cast<std::byte*>(at)));
}

inline std::uint64_t load_word(const std::byte* at) noexcept {
    return word_at(at).load(std::memory_order_relaxed);
}
inline void store_word(std::byte* at, std::uint64_t value) noexcept {
    word_at(at).store(value, std::memory_order_relaxed);
}
inline std::uint32_t load_half(const std::byte* at) noexcept {
    return half_at(at).load(std::memory_order_relaxed);
}
inline void store_half(std::byte* at, std::uint32_t value) noexcept {
    half_at(at).store(value, std::memory_order_relaxed);
}

// Where `digest` falls among `count` places: multiply and shift, no division, every place equally
// likely for a digest that is.
inline std::size_t place_of(std::uint64_t digest, std::size_t count) noexcept {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::size_t>((Wide{digest} * count) >> 64);
}

}  // namespace gate::cache
