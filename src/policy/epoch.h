// A number for everything that a verdict on a token depends on.
#pragma once

#include <cstdint>
#include <string_view>

#include "jose/issuer.h"

namespace gate::policy {

// Changes with any rule of the issuer and with `keys`, which names its keys so that other keys have
// another text. Never 0.
std::uint64_t epoch_of(const jose::Issuer& issuer, std::string_view keys);

// Changes with whatever turns a key into its digest: `rules` says it all. Never 0, and no issuer's.
std::uint64_t epoch_of_store(std::string_view name, std::string_view rules);

}  // namespace gate::policy
