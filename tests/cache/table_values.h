// Keys and payloads of the table's tests: a payload says which key and version it belongs to, so
// that a mixture of two, or one under another's key, is noticed.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "cache/fingerprint.h"

namespace gate::cache::test {

inline constexpr std::size_t kSlot = 128;
inline constexpr std::size_t kWords = 12;
inline constexpr std::size_t kMark = kWords - 1;  // the word that update() may change

using Payload = std::array<std::uint64_t, kWords>;

// The finalizer of splitmix64.
constexpr std::uint64_t scramble(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

constexpr Fingerprint key_of(std::uint64_t number) {
    return {scramble(2 * number), scramble(2 * number + 1)};
}

// A mark in the last word for update(), of at most 16 bits.
constexpr std::uint64_t mark_of(const Fingerprint& key, std::uint64_t mark) {
    return (scramble(key.low) & ~std::uint64_t{0xffff}) | mark;
}

constexpr Payload payload_of(const Fingerprint& key, std::uint64_t version,
                             std::uint64_t mark = 0) {
    Payload payload{};
    payload[0] = version;
    for (std::size_t i = 1; i < kMark; ++i) {
        payload[i] = scramble(key.high ^ scramble(version * kWords + i));
    }
    payload[kMark] = mark_of(key, mark);
    return payload;
}

// Whether `payload` is one of this key's, whole, of any version.
constexpr bool belongs(const Fingerprint& key, const Payload& payload) {
    return payload == payload_of(key, payload[0], payload[kMark] & 0xffff);
}

}  // namespace gate::cache::test
