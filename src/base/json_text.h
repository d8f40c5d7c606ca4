// JSON string literals (RFC 8259 section 7) from text of any origin.
#pragma once

#include <string>
#include <string_view>

namespace gate {

// A string literal with its quotes. Control characters, 0x7f, '"' and '\' are escaped; octets that
// are not UTF-8 become U+FFFD, so that the literal is valid JSON whatever the text is.
std::string json_string(std::string_view text);

// The same without the quotes, appended to `out`.
void append_json_escaped(std::string& out, std::string_view text);

}  // namespace gate
