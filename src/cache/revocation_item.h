// What is revoked as one word, for stores that keep a set of words: "<kind>:<issuer>:<value>" and,
// for what kills only up to an instant, ":<Unix seconds>" behind it. kind, issuer and value as in
// the journal (cache/journal.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cache/revocations.h"

namespace gate::cache {

struct RevocationItem {
    RevocationKind kind = RevocationKind::kJti;
    std::string issuer;
    std::string value;                           // empty for kAll
    std::uint32_t issued_until = kEveryInstant;  // as in RevocationEntry
    bool operator==(const RevocationItem&) const = default;
};

// Octets of an item at most: what is longer is written all the same, and not read.
inline constexpr std::size_t kMaxRevocationItem = 4096;

std::string format_item(const RevocationItem& item);
// nullopt for anything that format_item() does not write: one spelling for each item.
std::optional<RevocationItem> parse_item(std::string_view text);

}  // namespace gate::cache
