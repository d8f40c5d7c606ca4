// Texts of any octets as one word (RFC 3986 section 2.1): what stands in journals and items of
// revocations.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gate::cache {

// Appends `text` with every octet but unreserved characters as %XX; "-" for empty, a lone "-" as
// "%2D".
void append_encoded(std::string& out, std::string_view text);

// What append_encoded() writes and nothing else: one spelling for each text.
std::optional<std::string> decoded(std::string_view word);

}  // namespace gate::cache
