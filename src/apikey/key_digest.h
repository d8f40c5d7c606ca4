// What stores keep instead of keys: SHA-256, or HMAC-SHA-256 under a pepper the store does not
// hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "crypto/digest.h"

namespace gate::apikey {

enum class DigestKind : std::uint8_t { kSha256, kHmacSha256 };

// At most this many peppers: each costs one more lookup for a key of none of them.
inline constexpr std::size_t kMaxPeppers = 4;
inline constexpr std::size_t kMinPepperSize = 32;

// Digest of the whole key text. `pepper` is used by kHmacSha256 only.
crypto::Digest256 digest_key(std::string_view key, DigestKind kind, Bytes pepper);

// The digest of these 64 lower-case hexadecimal digits; nullopt for any other text.
std::optional<crypto::Digest256> parse_digest(std::string_view hex);

}  // namespace gate::apikey
