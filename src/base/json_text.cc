#include "base/json_text.h"

#include <cstddef>
#include <cstdint>

#include "base/utf8.h"

namespace gate {

namespace {

std::uint8_t octet(char c) noexcept {
    return static_cast<std::uint8_t>(c);
}

void append_ascii(std::string& out, char c) {
    constexpr char kHex[] = "0123456789abcdef";
    if (c == '"' || c == '\\') {
        out += '\\';
        out += c;
    } else if (octet(c) < 0x20 || octet(c) == 0x7f) {
        out += "\\u00";
        out += kHex[octet(c) >> 4];
        out += kHex[octet(c) & 0x0f];
    } else {
        out += c;
    }
}

}  // namespace

void append_json_escaped(std::string& out, std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        if (length == 0) {
            out += "\\ufffd";
            text.remove_prefix(1);
            continue;
        }
        if (length == 1) {
            append_ascii(out, text[0]);
        } else {
            out.append(text.substr(0, length));
        }
        text.remove_prefix(length);
    }
}

std::string json_string(std::string_view text) {
    std::string out;
    out.reserve(text.size() + 2);
    out += '"';
    append_json_escaped(out, text);
    out += '"';
    return out;
}

}  // namespace gate
