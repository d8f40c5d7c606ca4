// Digests, HMAC, random octets and constant-time comparison, on OpenSSL.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/bytes.h"

namespace gate::crypto {

using Digest256 = std::array<std::uint8_t, 32>;

Digest256 sha256(Bytes message);
Digest256 hmac_sha256(Bytes key, Bytes message);

// Fills `out` from OpenSSL's generator; false when it has no entropy (the caller must refuse).
[[nodiscard]] bool random_bytes(std::span<std::uint8_t> out) noexcept;

// Time depends on the sizes only; different sizes are unequal.
bool equal_constant_time(Bytes a, Bytes b) noexcept;

}  // namespace gate::crypto
