// A record as octets for memory that processes of one machine share: exact, short, and read without
// a parser. The digest is left out: who looks a record up knows it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "apikey/record.h"
#include "base/bytes.h"

namespace gate::apikey {

// The octets written, or nullopt where `out` is too small (or a text has more than 65,535 octets).
std::optional<std::size_t> pack(const Record& record, std::span<std::uint8_t> out);

// The record of these octets, with an empty digest; nullopt for anything that pack() did not write,
// as far as that can be seen: the caller vouches for the octets.
std::optional<Record> unpack(Bytes packed);

}  // namespace gate::apikey
