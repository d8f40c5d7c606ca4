#include "users/htpasswd_hash.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <new>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/secret_text.h"
#include "crypto/digest.h"
#include "crypto/openssl_ptr.h"

namespace gate::users {

namespace {

constexpr std::string_view kApr1 = "$apr1$";
constexpr std::string_view kSha = "{SHA}";
constexpr std::string_view kSsha = "{SSHA}";
constexpr std::string_view kDigits =
    "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::size_t kApr1Digits = 22;
constexpr std::size_t kMaxApr1Salt = 8;
constexpr std::size_t kMaxSshaSalt = 64;

using Md5 = std::array<std::uint8_t, 16>;
using Sha1 = std::array<std::uint8_t, 20>;

// Only a lack of memory makes these fail, and zeros would be taken for a digest.
void check_memory(bool done) {
    if (!done) throw std::bad_alloc();
}

class Hasher {
public:
    explicit Hasher(const EVP_MD* kind) : kind_(kind), context_(EVP_MD_CTX_new()) {
        check_memory(context_ != nullptr);
    }

    template <std::size_t N>
    void digest(std::initializer_list<std::string_view> parts, std::array<std::uint8_t, N>& out) {
        check_memory(EVP_DigestInit_ex(context_.get(), kind_, nullptr) == 1);
        for (const std::string_view part : parts) {
            check_memory(EVP_DigestUpdate(context_.get(), part.data(), part.size()) == 1);
        }
        check_memory(EVP_DigestFinal_ex(context_.get(), out.data(), nullptr) == 1);
    }

private:
    const EVP_MD* kind_;
    crypto::MdCtxPtr context_;
};

struct Apr1 {
    std::string_view salt;
    std::string_view digits;
};

std::optional<Apr1> parse_apr1(std::string_view text) noexcept {
    if (!text.starts_with(kApr1)) return std::nullopt;
    text.remove_prefix(kApr1.size());
    const std::size_t end = text.find('$');
    if (end == text.npos || end == 0 || end > kMaxApr1Salt) return std::nullopt;
    const Apr1 parts{text.substr(0, end), text.substr(end + 1)};
    const bool good = parts.digits.size() == kApr1Digits &&
                      parts.digits.find_first_not_of(kDigits) == text.npos &&
                      std::ranges::all_of(parts.salt, [](char c) { return c > ' ' && c < 0x7f; });
    return good ? std::optional(parts) : std::nullopt;
}

// What is mixed in by the password's length: as many octets of `digest` as it has, then, bit by bit
// of that number, a NUL or its first octet.
std::string by_length(std::string_view password, const Md5& digest) {
    std::string mixed;
    for (std::size_t left = password.size(); left > 0; left -= std::min(left, digest.size())) {
        mixed += text_of(digest).substr(0, left);
    }
    for (std::size_t bits = password.size(); bits > 0; bits >>= 1) {
        mixed += (bits & 1) != 0 ? '\0' : password.front();
    }
    return mixed;
}

void append_digits(std::string& out, std::uint32_t value, int count) {
    for (; count > 0; --count, value >>= 6) out += kDigits[value & 0x3f];
}

std::string apr1_digits(std::string_view password, std::string_view salt) {
    constexpr int kRounds = 1000;
    Hasher hasher(EVP_md5());
    Md5 digest{};
    hasher.digest({password, salt, password}, digest);
    std::string mixed = by_length(password, digest);
    hasher.digest({password, kApr1, salt, mixed}, digest);
    for (int round = 0; round < kRounds; ++round) {
        const Md5 before = digest;
        const bool odd = round % 2 != 0;
        hasher.digest(
            {odd ? password : text_of(before), round % 3 != 0 ? salt : std::string_view{},
             round % 7 != 0 ? password : std::string_view{}, odd ? text_of(before) : password},
            digest);
    }
    std::string digits;
    for (std::size_t i = 0; i < 5; ++i) {
        const std::size_t last = i == 4 ? 5 : i + 12;
        append_digits(
            digits, static_cast<std::uint32_t>(digest[i] << 16 | digest[i + 6] << 8 | digest[last]),
            4);
    }
    append_digits(digits, digest[11], 2);
    wipe(mixed.data(), mixed.size());
    return digits;
}

// The digest with the salt behind it.
std::optional<ByteVector> parse_sha(std::string_view text) {
    const bool salted = text.starts_with(kSsha);
    if (!salted && !text.starts_with(kSha)) return std::nullopt;
    text.remove_prefix(salted ? kSsha.size() : kSha.size());
    if (text.size() % 4 != 0) return std::nullopt;  // cut off
    auto octets = decode_any_base64(text);
    const std::size_t digest = std::tuple_size_v<Sha1>;
    if (!octets || octets->size() < digest) return std::nullopt;
    const std::size_t salt = octets->size() - digest;
    if (salted ? salt == 0 || salt > kMaxSshaSalt : salt != 0) return std::nullopt;
    return octets;
}

}  // namespace

bool is_htpasswd_hash(std::string_view text) {
    return parse_apr1(text) || parse_sha(text);
}

bool matches_htpasswd_hash(std::string_view hash, std::string_view password) {
    const crypto::ErrorQueueGuard guard;
    if (const auto apr1 = parse_apr1(hash)) {
        return crypto::equal_constant_time(bytes_of(apr1_digits(password, apr1->salt)),
                                           bytes_of(apr1->digits));
    }
    const auto octets = parse_sha(hash);
    if (!octets) return false;
    Sha1 digest{};
    const Bytes all(*octets);
    Hasher(EVP_sha1()).digest({password, text_of(all.subspan(digest.size()))}, digest);
    return crypto::equal_constant_time(digest, all.first(digest.size()));
}

}  // namespace gate::users
