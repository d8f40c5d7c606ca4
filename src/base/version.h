// The version that the module and gatectl say they are.
#pragma once

#include <string_view>

namespace gate {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace gate
