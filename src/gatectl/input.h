// What commands take from standard input and from options that several of them share.
#pragma once

#include <istream>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "gatectl/command.h"

namespace gate::ctl {

inline constexpr std::size_t kMaxInput = std::size_t{4} << 20;

// All of standard input without the line end behind it: a key or a token. Cut at kMaxInput.
Secret read_credential(std::istream& in);

// `text` up to its first line end, which may be CRLF.
std::string_view first_line(std::string_view text) noexcept;

// The first line of standard input without its end: a password. Cut at 4096 octets; empty where
// there is nothing.
Secret read_line(std::istream& in);

// --address as 4 or 16 octets; nullopt where it was not given.
Result<std::optional<ByteVector>, std::string> parse_address_option(const Arguments& arguments);

}  // namespace gate::ctl
