// SipHash-2-4 with 128 bits of output (Aumasson and Bernstein): a keyed digest of text from clients
// that neither reveals the text nor lets a client choose collisions.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"

namespace gate {

using SipKey = std::array<std::uint8_t, 16>;
using SipDigest = std::array<std::uint8_t, 16>;

SipDigest siphash128(const SipKey& key, Bytes message) noexcept;

// The first 64 bits of it as a number, for tables of this machine.
std::uint64_t siphash64(const SipKey& key, Bytes message) noexcept;

}  // namespace gate
