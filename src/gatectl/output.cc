#include "gatectl/output.h"

#include <algorithm>

#include "base/json_text.h"

namespace gate::ctl {

namespace {

// Characters of UTF-8 text, near enough for columns: continuation octets have no width.
std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

JsonObject& JsonObject::raw(std::string_view name, std::string_view json) {
    if (text_.size() > 1) text_ += ',';
    text_.append(json_string(name)).append(":").append(json);
    return *this;
}

JsonObject& JsonObject::text(std::string_view name, std::string_view value) {
    return raw(name, json_string(value));
}

JsonObject& JsonObject::number(std::string_view name, std::int64_t value) {
    return raw(name, std::to_string(value));
}

JsonObject& JsonObject::boolean(std::string_view name, bool value) {
    return raw(name, value ? "true" : "false");
}

JsonObject& JsonObject::texts(std::string_view name, const std::vector<std::string>& values) {
    std::vector<std::string> elements;
    for (const std::string& value : values) elements.push_back(json_string(value));
    return raw(name, json_array(elements));
}

std::string json_array(const std::vector<std::string>& elements) {
    return "[" + joined(elements, ",", "") + "]";
}

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

std::string joined(const std::vector<std::string>& elements, std::string_view separator,
                   std::string_view otherwise) {
    if (elements.empty()) return std::string(otherwise);
    std::string text = elements.front();
    for (std::size_t i = 1; i < elements.size(); ++i) text.append(separator).append(elements[i]);
    return text;
}

}  // namespace gate::ctl
