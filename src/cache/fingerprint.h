// A keyed 128-bit hash of a credential's exact octets: what stands for it in shared memory. Two NH
// lanes (the NH of UMAC, RFC 4418 section 5.2, with 64-bit words), each closed by a multilinear
// hash of its sum and the text's length.
//
// Bound: for any two different texts chosen by somebody who does not know the key, both have the
// same fingerprint with a probability of at most 2^-126.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gate::cache {

struct Fingerprint {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    bool operator==(const Fingerprint&) const = default;
};

inline constexpr std::size_t kMaxFingerprintText = 16384;

// Random octets; made once for each zone and never copied out of it. Any value is a valid key.
struct FingerprintKey {
    std::array<std::uint64_t, kMaxFingerprintText / 8 + 2> nh;  // lane 2 begins two words later
    std::array<std::uint64_t, 16> closing;                      // 4 words of 128 bits for each lane
};

// `text` has at most kMaxFingerprintText octets. No allocation.
Fingerprint fingerprint(const FingerprintKey& key, std::string_view text) noexcept;

}  // namespace gate::cache
