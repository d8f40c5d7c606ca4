// A number for everything that a verdict on a token depends on.
#pragma once

#include <cstdint>
#include <string_view>

#include "jose/issuer.h"

namespace gate::policy {

// Changes with any rule of the issuer and with `keys`, which names its keys so that other keys have
// another text. Never 0.
std::uint64_t epoch_of(const jose::Issuer& issuer, std::string_view keys);

}  // namespace gate::policy
