#include "apikey/key_format.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "crypto/digest.h"

namespace gate::apikey {

namespace {

constexpr std::string_view kBase62 =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::size_t kSecretOctets = 32;

constexpr bool is_base62(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// CRC-32 of IEEE 802.3: reflected, polynomial 0xedb88320, all ones before and after.
constexpr std::array<std::uint32_t, 256> kCrcTable = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < table.size(); ++i) {
        std::uint32_t crc = i;
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) != 0 ? 0xedb88320u : 0u);
        table[i] = crc;
    }
    return table;
}();

std::uint32_t crc32(std::string_view text) noexcept {
    std::uint32_t crc = 0xffffffffu;
    for (std::uint8_t octet : bytes_of(text)) crc = (crc >> 8) ^ kCrcTable[(crc ^ octet) & 0xffu];
    return ~crc;
}

std::array<char, kChecksumDigits> checksum_of(std::string_view text) noexcept {
    std::array<char, kChecksumDigits> digits{};
    std::uint32_t rest = crc32(text);
    for (std::size_t i = digits.size(); i-- > 0; rest /= 62u) digits[i] = kBase62[rest % 62u];
    return digits;
}

// `number`, a big-endian number that is consumed, as 43 digits: 62^43 is just above 2^256.
void append_secret_digits(std::string& out, std::array<std::uint8_t, kSecretOctets>& number) {
    const std::size_t start = out.size();
    out.append(kSecretDigits, '0');
    for (std::size_t i = kSecretDigits; i-- > 0;) {
        std::uint32_t remainder = 0;
        for (std::uint8_t& octet : number) {
            const std::uint32_t value = remainder << 8 | octet;
            octet = static_cast<std::uint8_t>(value / 62u);
            remainder = value % 62u;
        }
        out[start + i] = kBase62[remainder];
    }
}

Status<Reason> check_foreign_key(std::string_view rest) noexcept {
    const bool visible =
        std::all_of(rest.begin(), rest.end(), [](char c) { return c > 0x20 && c < 0x7f; });
    if (rest.empty() || !visible) return fail(Reason::kKeyMalformed);
    return Done{};
}

}  // namespace

std::optional<std::string> generate_key(std::string_view prefix) {
    std::array<std::uint8_t, kSecretOctets> random{};
    if (!crypto::random_bytes(random)) return std::nullopt;
    std::string key;
    key.append(prefix);
    append_secret_digits(key, random);
    const std::array<char, kChecksumDigits> checksum = checksum_of(key);
    key += '_';
    key.append(checksum.data(), checksum.size());
    return key;
}

Status<Reason> check_key(const KeyFormat& format, std::string_view key) noexcept {
    if (key.size() > kMaxKeySize || !key.starts_with(format.prefix))
        return fail(Reason::kKeyMalformed);
    const std::string_view rest = key.substr(format.prefix.size());
    if (!format.checksum) return check_foreign_key(rest);

    if (rest.size() != kSecretDigits + 1 + kChecksumDigits || rest[kSecretDigits] != '_') {
        return fail(Reason::kKeyMalformed);
    }
    const std::string_view secret = rest.substr(0, kSecretDigits);
    const std::string_view checksum = rest.substr(kSecretDigits + 1);
    if (!std::all_of(secret.begin(), secret.end(), is_base62) ||
        !std::all_of(checksum.begin(), checksum.end(), is_base62)) {
        return fail(Reason::kKeyMalformed);
    }
    const auto expected = checksum_of(key.substr(0, key.size() - kChecksumDigits - 1));
    if (checksum != std::string_view(expected.data(), expected.size()))
        return fail(Reason::kKeyChecksum);
    return Done{};
}

std::optional<std::string> prefix_problem(std::string_view prefix) {
    for (char c : prefix) {
        if (is_base62(c) || c == '_' || c == '-') continue;
        return "a key prefix may hold letters, digits, '_' and '-' only";
    }
    if (prefix.size() > kMaxPrefixSize) {
        return "a key prefix may have at most " + std::to_string(kMaxPrefixSize) + " characters";
    }
    return std::nullopt;
}

}  // namespace gate::apikey
