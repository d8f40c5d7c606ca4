#include "cache/journal.h"

#include <array>
#include <cstdio>
#include <optional>

#include "cache/percent_text.h"

namespace gate::cache {

namespace {

constexpr std::size_t kCrcDigits = 8;
constexpr std::size_t kFields = 6;  // behind the checksum

// CRC-32C (RFC 3720 section 12.1), reflected, eight octets at a time: table k holds what an octet
// does k octets further on.
using CrcTables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr CrcTables make_crc_tables() {
    constexpr std::uint32_t kPolynomial = 0x82f63b78;
    CrcTables tables{};
    for (std::uint32_t octet = 0; octet < 256; ++octet) {
        std::uint32_t crc = octet;
        for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? kPolynomial : 0);
        tables[0][octet] = crc;
    }
    for (std::size_t table = 1; table < tables.size(); ++table) {
        for (std::size_t octet = 0; octet < 256; ++octet) {
            const std::uint32_t before = tables[table - 1][octet];
            tables[table][octet] = before >> 8 ^ tables[0][before & 0xff];
        }
    }
    return tables;
}

constexpr CrcTables kCrc = make_crc_tables();

std::uint32_t crc32c(std::string_view text) noexcept {
    const auto octet = [](char c) { return static_cast<std::uint8_t>(c); };
    std::uint32_t crc = 0xffffffff;
    for (; text.size() >= 8; text.remove_prefix(8)) {
        const auto mixed = [&](std::size_t i) {
            return static_cast<std::uint8_t>(octet(text[i]) ^
                                             static_cast<std::uint8_t>(crc >> (8 * i)));
        };
        crc = kCrc[7][mixed(0)] ^ kCrc[6][mixed(1)] ^ kCrc[5][mixed(2)] ^ kCrc[4][mixed(3)] ^
              kCrc[3][octet(text[4])] ^ kCrc[2][octet(text[5])] ^ kCrc[1][octet(text[6])] ^
              kCrc[0][octet(text[7])];
    }
    for (const char c : text) crc = crc >> 8 ^ kCrc[0][(crc ^ octet(c)) & 0xff];
    return ~crc;
}

std::string crc_text(std::string_view text) {
    constexpr char kHex[] = "0123456789abcdef";
    std::uint32_t crc = crc32c(text);
    std::string digits(kCrcDigits, '0');
    for (std::size_t i = kCrcDigits; i-- > 0; crc >>= 4) digits[i] = kHex[crc & 0xf];
    return digits;
}

std::string instant_text(std::uint32_t instant) {
    return instant == kNeverForgotten ? "-" : rfc3339(instant);
}

std::optional<std::uint32_t> parse_instant(std::string_view field) {
    static_assert(kEveryInstant == kNeverForgotten);
    if (field == "-") return kNeverForgotten;
    const auto when = parse_rfc3339(field);
    if (!when || *when < 0 || *when >= Seconds{kNeverForgotten}) return std::nullopt;
    return static_cast<std::uint32_t>(*when);
}

// The fields of `text`, one blank between two.
std::optional<std::array<std::string_view, kFields>> split(std::string_view text) {
    std::array<std::string_view, kFields> fields;
    for (std::size_t i = 0; i < kFields; ++i) {
        const std::size_t blank = text.find(' ');
        if ((blank == text.npos) != (i + 1 == kFields)) return std::nullopt;
        fields[i] = text.substr(0, blank);
        text.remove_prefix(blank == text.npos ? text.size() : blank + 1);
    }
    return fields;
}

}  // namespace

std::string format_journal_line(const JournalEntry& entry) {
    std::string text;
    text.append(rfc3339(entry.written)).append(" ").append(name_of(entry.kind)) += ' ';
    append_encoded(text, entry.issuer);
    text += ' ';
    append_encoded(text, entry.value);
    text.append(" ").append(instant_text(entry.issued_until));
    text.append(" ").append(instant_text(entry.expires));
    return crc_text(text) + ' ' + text + '\n';
}

Result<JournalEntry, std::string> parse_journal_line(std::string_view line) {
    if (line.size() >= kMaxJournalLine) {
        return fail("is longer than " + std::to_string(kMaxJournalLine) + " octets");
    }
    if (line.size() <= kCrcDigits || line[kCrcDigits] != ' ') {
        return fail(std::string("does not begin with a checksum of 8 digits and a blank"));
    }
    const std::string_view text = line.substr(kCrcDigits + 1);
    const std::string sum = crc_text(text);
    if (line.substr(0, kCrcDigits) != sum) {
        std::string claimed;
        append_encoded(claimed, line.substr(0, kCrcDigits));
        return fail("checksum is " + claimed + ", the text has " + sum);
    }
    const auto fields = split(text);
    if (!fields) return fail(std::string("has not 7 fields with one blank between them"));
    const auto& [written, kind, issuer, value, issued_until, expires] = *fields;

    JournalEntry entry;
    const auto wrong = [](std::string_view field) {
        return fail("field \"" + std::string(field) + "\" is not of this format");
    };
    const auto when = parse_rfc3339(written);
    if (!when) return wrong("written");
    entry.written = *when;
    const auto known = find_revocation_kind(kind);
    if (!known) return wrong("kind");
    entry.kind = *known;
    auto decoded_issuer = decoded(issuer);
    if (!decoded_issuer) return wrong("issuer");
    entry.issuer = *std::move(decoded_issuer);
    auto decoded_value = decoded(value);
    if (!decoded_value || (entry.kind == RevocationKind::kAll && !decoded_value->empty())) {
        return wrong("value");
    }
    entry.value = *std::move(decoded_value);
    const auto until = parse_instant(issued_until);
    if (!until) return wrong("issued-until");
    entry.issued_until = *until;
    const auto end = parse_instant(expires);
    if (!end) return wrong("expires");
    entry.expires = *end;
    return entry;
}

std::string unfinished_line_problem(std::string_view tail) {
    if (tail.size() >= kMaxJournalLine) {
        return "is longer than " + std::to_string(kMaxJournalLine) + " octets";
    }
    if (tail.empty() || !parse_journal_line(tail.substr(0, tail.size() - 1))) return {};
    return "has another octet in place of its line feed";
}

}  // namespace gate::cache
