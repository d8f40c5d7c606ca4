// Secrets as operators write them into files.
#pragma once

#include <optional>
#include <string_view>

#include "base/bytes.h"

namespace gate::ctl {

// Standard base64 (RFC 4648 section 4), padded or not.
std::optional<ByteVector> decode_base64(std::string_view text);
std::string encode_base64(Bytes bytes);

}  // namespace gate::ctl
