// Lines of a revocation journal: one spelling for each entry, and any entry survives its line.
// First line "text": the rest is the part of a line behind its checksum, which the target puts
// before it. Otherwise: kind, issuer, value, instants, each in a line.
#include <string>

#include "cache/journal.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace gate;
using namespace gate::cache;

// `text` behind its right checksum, which the error of a wrong one tells.
std::string sealed(const std::string& text) {
    for (const char* sum : {"00000000", "ffffffff"}) {
        const auto parsed = parse_journal_line(sum + (" " + text));
        if (!parsed && parsed.error().starts_with("checksum is ")) {
            return parsed.error().substr(parsed.error().size() - 8) + " " + text;
        }
    }
    return "00000000 " + text;
}

void check_line(const std::string& line) {
    const auto entry = parse_journal_line(line);
    if (!entry) {
        GATE_INVARIANT(!entry.error().empty());
        for (const char c : entry.error()) GATE_INVARIANT(c >= 0x20 && c < 0x7f);
        return;
    }
    GATE_INVARIANT(line.size() < kMaxJournalLine);
    GATE_INVARIANT(line.find('\n') == line.npos);
    GATE_INVARIANT(format_journal_line(*entry) == line + "\n");
    GATE_INVARIANT(unfinished_line_problem(line).empty());
    GATE_INVARIANT(!unfinished_line_problem(line + "x").empty());
    // A flipped bit anywhere is noticed.
    for (std::size_t bit = line.size() % 13; bit < line.size() * 8; bit += 13) {
        std::string damaged = line;
        damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
        GATE_INVARIANT(!parse_journal_line(damaged));
    }
}

std::uint32_t instant_of(std::string_view text) {
    std::uint32_t value = 0;
    for (const char c : text) value = value * 31 + static_cast<std::uint8_t>(c);
    return text.empty() ? kNeverForgotten : value;
}

void check_entry(fuzz::Input input) {
    JournalEntry entry;
    const auto kind = find_revocation_kind(input.line());
    if (!kind) return;
    entry.kind = *kind;
    entry.issuer = input.line();
    entry.value = input.line();
    if (entry.kind == RevocationKind::kAll) entry.value.clear();
    entry.written = instant_of(input.line());
    entry.issued_until = instant_of(input.line());
    entry.expires = instant_of(input.line());
    std::string line = format_journal_line(entry);
    GATE_INVARIANT(line.back() == '\n');
    line.pop_back();
    GATE_INVARIANT(line.find('\n') == line.npos);
    const auto parsed = parse_journal_line(line);
    GATE_INVARIANT(static_cast<bool>(parsed) == (line.size() < kMaxJournalLine));
    if (parsed) GATE_INVARIANT(*parsed == entry);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    gate::fuzz::Input input(data, size);
    check_entry(input);
    check_line(std::string(input.rest()));
    if (input.line() == "text") check_line(sealed(std::string(input.rest())));
    return 0;
}
