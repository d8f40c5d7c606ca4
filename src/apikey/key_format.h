// API keys as text: <prefix><secret>_<checksum>. The secret is 256 random bits in 43 base62 digits,
// the checksum CRC-32 of everything before the underscore in 6, so that a mistyped key dies without
// a lookup and secret scanners can tell a real key from noise.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/reason.h"
#include "base/result.h"

namespace gate::apikey {

inline constexpr std::size_t kSecretDigits = 43;
inline constexpr std::size_t kChecksumDigits = 6;
inline constexpr std::size_t kMaxKeySize = 512;
inline constexpr std::size_t kMaxPrefixSize = 64;

struct KeyFormat {
    std::string prefix;    // may be empty; letters, digits, '_' and '-' only
    bool checksum = true;  // off: keys issued elsewhere, any visible ASCII after the prefix
};

// A new key, or nullopt when the machine has no entropy.
std::optional<std::string> generate_key(std::string_view prefix);

// Shape and checksum of a presented key. kKeyMalformed, kKeyChecksum.
Status<Reason> check_key(const KeyFormat& format, std::string_view key) noexcept;

// Why a prefix cannot be used, in words; nullopt when it can.
std::optional<std::string> prefix_problem(std::string_view prefix);

}  // namespace gate::apikey
