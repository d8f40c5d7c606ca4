#include "base/siphash.h"

#include <bit>
#include <cstring>

namespace gate {

namespace {

std::uint64_t load_little_endian(const std::uint8_t* from) noexcept {
    std::uint64_t value;
    std::memcpy(&value, from, sizeof value);
    if constexpr (std::endian::native == std::endian::big) value = __builtin_bswap64(value);
    return value;
}

void store_little_endian(std::uint8_t* to, std::uint64_t value) noexcept {
    if constexpr (std::endian::native == std::endian::big) value = __builtin_bswap64(value);
    std::memcpy(to, &value, sizeof value);
}

struct State {
    std::uint64_t v0, v1, v2, v3;

    void rounds(int count) noexcept {
        for (int i = 0; i < count; ++i) {
            v0 += v1;
            v1 = std::rotl(v1, 13) ^ v0;
            v0 = std::rotl(v0, 32);
            v2 += v3;
            v3 = std::rotl(v3, 16) ^ v2;
            v0 += v3;
            v3 = std::rotl(v3, 21) ^ v0;
            v2 += v1;
            v1 = std::rotl(v1, 17) ^ v2;
            v2 = std::rotl(v2, 32);
        }
    }

    void absorb(std::uint64_t word) noexcept {
        v3 ^= word;
        rounds(2);
        v0 ^= word;
    }

    std::uint64_t fold() const noexcept { return v0 ^ v1 ^ v2 ^ v3; }
};

}  // namespace

SipDigest siphash128(const SipKey& key, Bytes message) noexcept {
    const std::uint64_t k0 = load_little_endian(key.data());
    const std::uint64_t k1 = load_little_endian(key.data() + 8);
    // The initial constants spell "somepseudorandomlygeneratedbytes"; 0xee marks 128 bits of
    // output.
    State state{k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d ^ 0xee, k0 ^ 0x6c7967656e657261,
                k1 ^ 0x7465646279746573};

    const std::size_t whole = message.size() / 8 * 8;
    for (std::size_t i = 0; i < whole; i += 8) state.absorb(load_little_endian(&message[i]));
    std::uint64_t last = static_cast<std::uint64_t>(message.size() & 0xff) << 56;
    for (std::size_t i = whole; i < message.size(); ++i) {
        last |= static_cast<std::uint64_t>(message[i]) << (8 * (i - whole));
    }
    state.absorb(last);

    SipDigest digest;
    state.v2 ^= 0xee;
    state.rounds(4);
    store_little_endian(digest.data(), state.fold());
    state.v1 ^= 0xdd;
    state.rounds(4);
    store_little_endian(digest.data() + 8, state.fold());
    return digest;
}

std::uint64_t siphash64(const SipKey& key, Bytes message) noexcept {
    const SipDigest digest = siphash128(key, message);
    std::uint64_t word = 0;
    std::memcpy(&word, digest.data(), sizeof word);
    return word;
}

}  // namespace gate
