#include "base/base64url.h"

#include <array>

namespace gate {

namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// Above every 6-bit value, so that one comparison of the OR of four lookups finds a bad character.
constexpr std::uint8_t kNotInAlphabet = 0x80;

constexpr std::array<std::uint8_t, 256> make_decode_table() {
    std::array<std::uint8_t, 256> table{};
    table.fill(kNotInAlphabet);
    for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
        table[static_cast<std::uint8_t>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
    }
    return table;
}

constexpr auto kDecodeTable = make_decode_table();

std::uint32_t value_of(char c) noexcept {
    return kDecodeTable[static_cast<std::uint8_t>(c)];
}

std::uint8_t octet(std::uint32_t bits) noexcept {
    return static_cast<std::uint8_t>(bits & 0xff);
}

}  // namespace

Result<std::size_t, Base64Error> base64url_decode(std::string_view in,
                                                  std::span<std::uint8_t> out) noexcept {
    const std::size_t tail = in.size() % 4;
    if (tail == 1 || out.size() < base64url_decoded_size(in.size())) {
        return fail(Base64Error::kBadLength);
    }
    std::size_t written = 0;
    const std::size_t whole = in.size() - tail;
    for (std::size_t i = 0; i < whole; i += 4) {
        const std::uint32_t a = value_of(in[i]);
        const std::uint32_t b = value_of(in[i + 1]);
        const std::uint32_t c = value_of(in[i + 2]);
        const std::uint32_t d = value_of(in[i + 3]);
        if ((a | b | c | d) >= kNotInAlphabet) return fail(Base64Error::kBadChar);
        const std::uint32_t bits = a << 18 | b << 12 | c << 6 | d;
        out[written] = octet(bits >> 16);
        out[written + 1] = octet(bits >> 8);
        out[written + 2] = octet(bits);
        written += 3;
    }
    if (tail == 0) return written;

    // Two characters carry 12 bits for one octet, three carry 18 for two: the rest must be zero, or
    // one value would have several spellings.
    const std::uint32_t a = value_of(in[whole]);
    const std::uint32_t b = value_of(in[whole + 1]);
    const std::uint32_t c = tail == 3 ? value_of(in[whole + 2]) : 0;
    if ((a | b | c) >= kNotInAlphabet) return fail(Base64Error::kBadChar);
    const std::uint32_t bits = a << 12 | b << 6 | c;
    const std::uint32_t unused = tail == 3 ? 0x3 : 0x3ff;
    if ((bits & unused) != 0) return fail(Base64Error::kTrailingBits);
    out[written++] = octet(bits >> 10);
    if (tail == 3) out[written++] = octet(bits >> 2);
    return written;
}

std::optional<ByteVector> base64url_decode(std::string_view in) {
    ByteVector out(base64url_decoded_size(in.size()));
    const auto written = base64url_decode(in, out);
    if (!written) return std::nullopt;
    out.resize(*written);
    return out;
}

void base64url_decode_range(std::string_view in, std::size_t offset,
                            std::span<std::uint8_t> out) noexcept {
    std::size_t at = offset / 3 * 4;
    std::size_t skip = offset % 3;
    std::size_t written = 0;
    while (written < out.size() && at < in.size()) {
        std::uint32_t bits = 0;
        for (std::size_t i = 0; i < 4; ++i) {
            bits = bits << 6 | (at + i < in.size() ? value_of(in[at + i]) : 0);
        }
        for (std::size_t i = skip; i < 3 && written < out.size(); ++i) {
            out[written++] = octet(bits >> (16 - 8 * i));
        }
        skip = 0;
        at += 4;
    }
}

std::string base64url_encode(Bytes bytes) {
    std::string out;
    out.reserve((bytes.size() * 4 + 2) / 3);
    std::uint32_t bits = 0;
    unsigned pending = 0;
    for (std::uint8_t value : bytes) {
        bits = (bits << 8 | value) & 0xffff;
        pending += 8;
        while (pending >= 6) {
            pending -= 6;
            out.push_back(kAlphabet[bits >> pending & 0x3f]);
        }
    }
    if (pending != 0) out.push_back(kAlphabet[bits << (6 - pending) & 0x3f]);
    return out;
}

}  // namespace gate
