#include "gatectl/output.h"

#include <algorithm>

namespace gate::ctl {

namespace {

// Characters of UTF-8 text, near enough for columns: continuation octets have no width.
std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

std::string Table::str() const {
    std::vector<std::size_t> widths;
    std::vector<std::vector<std::string>> cells;
    for (const auto& row : rows_) {
        auto& line = cells.emplace_back();
        for (std::size_t i = 0; i < row.size(); ++i) {
            line.push_back(printable(row[i]));
            if (widths.size() <= i) widths.push_back(0);
            widths[i] = std::max(widths[i], width_of(line.back()));
        }
    }
    std::string text;
    for (const auto& row : cells) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            text += row[i];
            if (i + 1 < row.size()) text.append(widths[i] + 2 - width_of(row[i]), ' ');
        }
        text += '\n';
    }
    return text;
}

std::string printable(std::string_view text) {
    constexpr char kHex[] = "0123456789abcdef";
    std::string out;
    for (char c : text) {
        const auto octet = static_cast<unsigned char>(c);
        if (octet >= 0x20 && octet != 0x7f) {
            out += c;
            continue;
        }
        out += "\\x";
        out += kHex[octet >> 4];
        out += kHex[octet & 0x0f];
    }
    return out;
}

}  // namespace gate::ctl
