#include "gatectl/encoding.h"

#include <algorithm>

#include "base/base64url.h"
#include "gatectl/files.h"

namespace gate::ctl {

std::optional<ByteVector> decode_base64(std::string_view text) {
    if (text.find_first_of("-_") != std::string_view::npos) return std::nullopt;
    return decode_any_base64(text);
}

std::string encode_base64(Bytes bytes) {
    std::string text = base64url_encode(bytes);
    std::ranges::replace(text, '-', '+');
    std::ranges::replace(text, '_', '/');
    text.append((4 - text.size() % 4) % 4, '=');
    return text;
}

Result<Secret, std::string> read_secret_file(const std::string& path, SecretEncoding encoding) {
    auto text = read_file(path, kMaxSecret);
    if (!text) return fail(text.error());
    auto secret = decode_secret(*text, encoding);
    wipe(text->data(), text->size());
    if (!secret) return fail(path + ": " + secret.error());
    return secret;
}

}  // namespace gate::ctl
