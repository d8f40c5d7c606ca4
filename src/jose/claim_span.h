// Where a claim's value stands in a payload's text, for those who keep the place and not the value.
#pragma once

#include <string_view>

namespace gate::jose {

// The text of the value that Value::find(path) gives for an object that Document::parse has
// accepted: a view of `object`. Empty where there is none, and where a member name on the way is
// written with escapes, so that it cannot be compared as it stands.
std::string_view claim_text(std::string_view object, std::string_view path) noexcept;

}  // namespace gate::jose
