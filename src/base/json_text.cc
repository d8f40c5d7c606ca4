#include "base/json_text.h"

#include <cstddef>
#include <cstdint>

namespace gate {

namespace {

std::uint8_t octet(char c) noexcept {
    return static_cast<std::uint8_t>(c);
}

// Octets of the UTF-8 sequence at the start of `text` (RFC 3629 section 4); 0 when it is not one.
std::size_t utf8_length(std::string_view text) noexcept {
    const std::uint8_t lead = octet(text[0]);
    if (lead < 0x80) return 1;
    std::size_t length = 0;
    std::uint8_t low = 0x80;
    std::uint8_t high = 0xbf;
    if (lead >= 0xc2 && lead <= 0xdf) {
        length = 2;
    } else if (lead >= 0xe0 && lead <= 0xef) {
        length = 3;
        if (lead == 0xe0) low = 0xa0;
        if (lead == 0xed) high = 0x9f;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
        length = 4;
        if (lead == 0xf0) low = 0x90;
        if (lead == 0xf4) high = 0x8f;
    }
    if (length == 0 || text.size() < length) return 0;
    if (octet(text[1]) < low || octet(text[1]) > high) return 0;
    for (std::size_t i = 2; i < length; ++i) {
        if ((octet(text[i]) & 0xc0) != 0x80) return 0;
    }
    return length;
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
