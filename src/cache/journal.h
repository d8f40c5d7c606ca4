// Revocations as text, one a line, in a file that only grows:
//
//     <crc> <written> <kind> <issuer> <value> <issued-until> <expires>
//
// crc: 8 hexadecimal digits, the CRC-32C of the rest of the line behind the blank. written,
// expires: RFC 3339 in UTC, "-" for never. issued-until: RFC 3339, "-" for whenever it was issued.
// kind: jti, tok, sub, sid, client, key, all. issuer and value: percent-encoded (RFC 3986
// section 2.1: all but unreserved characters), "-" for empty, a lone "-" as "%2D". A line without
// its line feed is one that somebody has not finished writing: it is not acknowledged and not read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "cache/revocations.h"

namespace gate::cache {

struct JournalEntry {
    Seconds written = 0;
    RevocationKind kind = RevocationKind::kJti;
    std::string issuer;
    std::string value;                           // empty for kAll
    std::uint32_t issued_until = kEveryInstant;  // as in RevocationEntry
    std::uint32_t expires = kNeverForgotten;
    bool operator==(const JournalEntry&) const = default;
};

// Octets of a line at most, line feed included; issuer and value together have to fit.
inline constexpr std::size_t kMaxJournalLine = 4096;

// The line, line feed included.
std::string format_journal_line(const JournalEntry& entry);

// A line without its line feed. The error is a sentence for people: "checksum is 0000abcd, the text
// has 1234abcd".
Result<JournalEntry, std::string> parse_journal_line(std::string_view line);

// What is wrong with the text behind the last line feed, a sentence as above; empty where it is
// nothing, or the beginning of a line. A whole line with another octet behind it is one whose line
// feed was damaged.
std::string unfinished_line_problem(std::string_view tail);

}  // namespace gate::cache
