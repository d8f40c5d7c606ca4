// Secrets as operators write them into files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace gate::ctl {

// Standard base64 (RFC 4648 section 4), padded or not.
std::optional<ByteVector> decode_base64(std::string_view text);
std::string encode_base64(Bytes bytes);

enum class SecretEncoding : std::uint8_t { kText, kHex, kBase64 };

// "text", "hex", "base64".
std::optional<SecretEncoding> find_encoding(std::string_view name) noexcept;

// The octets that a secret file stands for, as secret_file= reads it: one trailing newline of a
// text is no part of it; blanks in hex and base64 are skipped, base64 may be of either alphabet.
// Errors are sentences without the file's name.
Result<Secret, std::string> decode_secret(std::string_view text, SecretEncoding encoding);

// Reads and decodes a file; errors name it.
Result<Secret, std::string> read_secret_file(const std::string& path, SecretEncoding encoding);

}  // namespace gate::ctl
