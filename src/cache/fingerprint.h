// A keyed 128-bit hash of a credential's exact octets: what stands for it in shared memory. Sums of
// products as in NH (UMAC, RFC 4418 section 5.2, with 64-bit words) over the text and a parity of
// it, closed by multilinear hashes of these sums and the text's length. It depends on what the
// processor can do, so it is for the memory of one machine only.
//
// Bound: for any two different texts chosen by somebody who does not know the key, both have the
// same fingerprint with a probability of at most 2^-127. The proof is in fingerprint.cc.
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
struct alignas(16) FingerprintKey {
    std::array<std::uint64_t, kMaxFingerprintText / 8> nh;
    // For each half of the fingerprint 8 words of 128 bits, low half first: one to begin with, six
    // for the sums, one for the length.
    std::array<std::uint64_t, 32> closing;
};

// `text` has at most kMaxFingerprintText octets. No allocation.
Fingerprint fingerprint(const FingerprintKey& key, std::string_view text) noexcept;

// What fingerprint() is on processors without a carry-less product (PCLMULQDQ), and whether this
// one has it.
Fingerprint portable_fingerprint(const FingerprintKey& key, std::string_view text) noexcept;
bool has_carryless_product() noexcept;

}  // namespace gate::cache
