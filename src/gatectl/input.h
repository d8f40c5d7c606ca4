// What commands take from standard input and from options that several of them share.
#pragma once

#include <istream>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "gatectl/command.h"

namespace gate::ctl {

inline constexpr std::size_t kMaxInput = std::size_t{4} << 20;

// All of standard input without the line end behind it: a key or a token. Cut at kMaxInput.
Secret read_credential(std::istream& in);

// --address as 4 or 16 octets; nullopt where it was not given.
Result<std::optional<ByteVector>, std::string> parse_address_option(const Arguments& arguments);

}  // namespace gate::ctl
