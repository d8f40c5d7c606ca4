#include "gatectl/encoding.h"

#include <algorithm>

#include "base/base64url.h"

namespace gate::ctl {

std::optional<ByteVector> decode_base64(std::string_view text) {
    const std::size_t end = std::min(text.find('='), text.size());
    const std::string_view padding = text.substr(end);
    if (padding.size() > 2 || padding.find_first_not_of('=') != std::string_view::npos) {
        return std::nullopt;
    }
    if (!padding.empty() && text.size() % 4 != 0) return std::nullopt;
    std::string url_form(text.substr(0, end));
    for (char& c : url_form) {
        if (c == '-' || c == '_') return std::nullopt;
        if (c == '+') c = '-';
        if (c == '/') c = '_';
    }
    auto decoded = base64url_decode(url_form);
    wipe(url_form.data(), url_form.size());
    return decoded;
}

std::string encode_base64(Bytes bytes) {
    std::string text = base64url_encode(bytes);
    for (char& c : text) {
        if (c == '-') c = '+';
        if (c == '_') c = '/';
    }
    text.append((4 - text.size() % 4) % 4, '=');
    return text;
}

}  // namespace gate::ctl
