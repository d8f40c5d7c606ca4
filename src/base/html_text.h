// Text of any origin in an HTML page.
#pragma once

#include <string>
#include <string_view>

namespace gate {

// For the content of an element and for the value of a quoted attribute: `&`, `<`, `>` and both
// quotes become references, control characters but tab and newline U+FFFD, as do octets that are
// no UTF-8.
std::string html_escaped(std::string_view text);

}  // namespace gate
