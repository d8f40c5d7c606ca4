// Secrets as operators write them into files: text, hexadecimal or base64.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace gate {

enum class SecretEncoding : std::uint8_t { kText, kHex, kBase64 };

// "text", "hex", "base64".
std::string_view name_of(SecretEncoding encoding) noexcept;
std::optional<SecretEncoding> find_secret_encoding(std::string_view name) noexcept;

// Either alphabet of RFC 4648, padded or not: secrets come from many tools.
std::optional<ByteVector> decode_any_base64(std::string_view text);

// The octets that the text of a secret file stands for: one trailing newline of a text is no part
// of it; blanks in hexadecimal and base64 are skipped. Errors are "is not hexadecimal", "is not
// base64".
Result<Secret, std::string> decode_secret(std::string_view text, SecretEncoding encoding);

}  // namespace gate
