#include "base/html_text.h"

#include "base/utf8.h"

namespace gate {

namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

std::string_view escape_of(char c) noexcept {
    switch (c) {
        case '&':
            return "&amp;";
        case '<':
            return "&lt;";
        case '>':
            return "&gt;";
        case '"':
            return "&quot;";
        case '\'':
            return "&#39;";
        case '\t':
        case '\n':
            return {};
        default:
            return static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? kReplacement
                                                                     : std::string_view();
    }
}

}  // namespace

std::string html_escaped(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        const std::string_view escape = length == 1 ? escape_of(text[0]) : std::string_view();
        if (length == 0) {
            out += kReplacement;
        } else if (!escape.empty()) {
            out += escape;
        } else {
            out.append(text.substr(0, length));
        }
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return out;
}

}  // namespace gate
