#include "base/bytes.h"

#include <string.h>

#include "base/ascii.h"

namespace gate {

namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

void append_hex(std::string& out, std::uint8_t octet) {
    out.push_back(kHexDigits[octet >> 4]);
    out.push_back(kHexDigits[octet & 15]);
}

}  // namespace

std::string to_hex(Bytes bytes) {
    std::string out;
    out.reserve(bytes.size() * 2);
    for (std::uint8_t octet : bytes) append_hex(out, octet);
    return out;
}

std::optional<ByteVector> from_hex(std::string_view hex) {
    if (hex.size() % 2 != 0) return std::nullopt;
    ByteVector out;
    out.reserve(hex.size() / 2);
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        const int high = hex_value(hex[i]);
        const int low = hex_value(hex[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        out.push_back(static_cast<std::uint8_t>(high * 16 + low));
    }
    return out;
}

void wipe(void* data, std::size_t size) noexcept {
    if (size != 0) explicit_bzero(data, size);
}

Secret& Secret::operator=(Secret&& other) noexcept {
    if (this != &other) {
        wipe(bytes_.data(), bytes_.size());
        bytes_ = std::move(other.bytes_);
        other.bytes_.clear();
    }
    return *this;
}

std::string log_escaped(std::string_view text, std::size_t limit) {
    std::string out;
    for (char c : text.substr(0, limit)) {
        const auto octet = static_cast<std::uint8_t>(c);
        if (octet < 0x20 || octet == 0x7f || c == '"' || c == '\\') {
            out += "\\x";
            append_hex(out, octet);
        } else {
            out.push_back(c);
        }
    }
    return out;
}

}  // namespace gate
