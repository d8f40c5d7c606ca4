// UTF-8 (RFC 3629 section 4).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gate {

// Octets of the sequence at the start of `text`, which is not empty; 0 when it is none.
inline std::size_t utf8_length(std::string_view text) noexcept {
    const auto octet = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const std::uint8_t lead = octet(0);
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
    if (octet(1) < low || octet(1) > high) return 0;
    for (std::size_t i = 2; i < length; ++i) {
        if ((octet(i) & 0xc0) != 0x80) return 0;
    }
    return length;
}

inline bool is_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

}  // namespace gate
