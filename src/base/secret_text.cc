#include "base/secret_text.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "base/base64url.h"

namespace gate {

namespace {

constexpr std::array kEncodings{SecretEncoding::kText, SecretEncoding::kHex,
                                SecretEncoding::kBase64};

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

std::string_view without_newline(std::string_view text) noexcept {
    if (!text.ends_with('\n')) return text;
    text.remove_suffix(1);
    if (text.ends_with('\r')) text.remove_suffix(1);
    return text;
}

bool is_blank(char c) noexcept {
    return c == '\n' || c == '\r' || c == ' ' || c == '\t';
}

}  // namespace

std::string_view name_of(SecretEncoding encoding) noexcept {
    switch (encoding) {
        case SecretEncoding::kText:
            return "text";
        case SecretEncoding::kHex:
            return "hex";
        case SecretEncoding::kBase64:
            return "base64";
    }
    return "";
}

std::optional<SecretEncoding> find_secret_encoding(std::string_view name) noexcept {
    for (const SecretEncoding encoding : kEncodings) {
        if (name_of(encoding) == name) return encoding;
    }
    return std::nullopt;
}

std::optional<ByteVector> decode_any_base64(std::string_view text) {
    auto url_form = without_padding(text);
    if (!url_form) return std::nullopt;
    auto decoded = base64url_decode(*url_form);
    wipe(url_form->data(), url_form->size());
    return decoded;
}

Result<Secret, std::string> decode_secret(std::string_view text, SecretEncoding encoding) {
    if (encoding == SecretEncoding::kText) return Secret(bytes_of(without_newline(text)));
    std::string packed;
    packed.reserve(text.size());  // growing would leave copies behind
    std::ranges::remove_copy_if(text, std::back_inserter(packed), is_blank);
    const bool hex = encoding == SecretEncoding::kHex;
    auto octets = hex ? from_hex(packed) : decode_any_base64(packed);
    wipe(packed.data(), packed.size());
    if (!octets) return fail(std::string(hex ? "is not hexadecimal" : "is not base64"));
    Secret secret(*octets);
    wipe(octets->data(), octets->size());
    return secret;
}

}  // namespace gate
