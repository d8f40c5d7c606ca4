// Base64url without padding (RFC 4648 section 5, RFC 7515 section 2), one spelling per value.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace gate {

enum class Base64Error : std::uint8_t { kBadLength, kBadChar, kTrailingBits };

// Octets that `length` characters decode to at most.
constexpr std::size_t base64url_decoded_size(std::size_t length) noexcept {
    return length / 4 * 3 + (length % 4) * 3 / 4;
}

// Decodes into `out` and returns the octets written. '=', whitespace, the standard alphabet and
// nonzero trailing bits are errors. Needs out.size() >= base64url_decoded_size(in.size()).
Result<std::size_t, Base64Error> base64url_decode(std::string_view in,
                                                  std::span<std::uint8_t> out) noexcept;

// The same into a new vector; nullopt for any error.
std::optional<ByteVector> base64url_decode(std::string_view in);

// Part of what `in` decodes to: out.size() octets from `offset` on. `in` has been decoded before
// without error, and the part lies within it.
void base64url_decode_range(std::string_view in, std::size_t offset,
                            std::span<std::uint8_t> out) noexcept;

std::string base64url_encode(Bytes bytes);

}  // namespace gate
