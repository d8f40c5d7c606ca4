// Base64 of tokens and secrets, and secret files.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret_text.h"

namespace gate::ctl {

// Standard base64 (RFC 4648 section 4), padded or not.
std::optional<ByteVector> decode_base64(std::string_view text);
std::string encode_base64(Bytes bytes);

// Reads and decodes a file as secret_file= does; errors name it.
Result<Secret, std::string> read_secret_file(const std::string& path, SecretEncoding encoding);

}  // namespace gate::ctl
