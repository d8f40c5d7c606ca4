#include "gatectl/encoding.h"

#include <algorithm>

#include "base/base64url.h"
#include "gatectl/files.h"

namespace gate::ctl {

namespace {

// Unpadded base64url of the same octets; nullopt for padding that does not fit.
std::optional<std::string> without_padding(std::string_view text) {
    const std::size_t end = std::min(text.find('='), text.size());
    const std::string_view padding = text.substr(end);
    if (padding.size() > 2 || padding.find_first_not_of('=') != std::string_view::npos ||
        (!padding.empty() && text.size() % 4 != 0)) {
        return std::nullopt;
    }
    std::string url_form(text.substr(0, end));
    std::ranges::replace(url_form, '+', '-');
    std::ranges::replace(url_form, '/', '_');
    return url_form;
}

std::optional<ByteVector> decode_any_base64(std::string_view text) {
    auto url_form = without_padding(text);
    if (!url_form) return std::nullopt;
    auto decoded = base64url_decode(*url_form);
    wipe(url_form->data(), url_form->size());
    return decoded;
}

std::string_view without_newline(std::string_view text) {
    if (!text.ends_with('\n')) return text;
    text.remove_suffix(1);
    if (text.ends_with('\r')) text.remove_suffix(1);
    return text;
}

}  // namespace

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

std::optional<SecretEncoding> find_encoding(std::string_view name) noexcept {
    if (name == "text") return SecretEncoding::kText;
    if (name == "hex") return SecretEncoding::kHex;
    if (name == "base64") return SecretEncoding::kBase64;
    return std::nullopt;
}

Result<Secret, std::string> decode_secret(std::string_view text, SecretEncoding encoding) {
    if (encoding == SecretEncoding::kText) return Secret(bytes_of(without_newline(text)));
    std::string packed;
    packed.reserve(text.size());
    std::ranges::copy_if(text, std::back_inserter(packed),
                         [](char c) { return c != '\n' && c != '\r' && c != ' ' && c != '\t'; });
    const bool hex = encoding == SecretEncoding::kHex;
    auto octets = hex ? from_hex(packed) : decode_any_base64(packed);
    wipe(packed.data(), packed.size());
    if (!octets) return fail(std::string(hex ? "is not hexadecimal" : "is not base64"));
    Secret secret(*octets);
    wipe(octets->data(), octets->size());
    return secret;
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
