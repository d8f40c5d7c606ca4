// Commands as Redis takes them: arguments with their lengths, so that no octet of any of them is
// ever read as another argument or command.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace gate::redis {

// Appends the command to `out` as an array of bulk strings (RESP, "Sending commands to a Redis
// server"). Throws bad_alloc.
void append_command(std::string& out, std::span<const std::string_view> arguments);
void append_command(std::string& out, std::initializer_list<std::string_view> arguments);

std::string command_text(std::initializer_list<std::string_view> arguments);

}  // namespace gate::redis
