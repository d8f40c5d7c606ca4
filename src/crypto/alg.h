// The JWS algorithms (RFC 7518 section 3.1, RFC 8037) in one table: name, family of key, hash,
// curve and signature size. A name is matched byte for byte; "none" is not an algorithm.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace gate::crypto {

enum class Alg : std::uint8_t {
    kHS256,
    kHS384,
    kHS512,
    kRS256,
    kRS384,
    kRS512,
    kPS256,
    kPS384,
    kPS512,
    kES256,
    kES384,
    kES512,
    kEdDSA,
};
inline constexpr std::size_t kAlgCount = 13;

// JWK "kty".
enum class Family : std::uint8_t { kOct, kRsa, kEc, kOkp };

// JWK "crv".
enum class Curve : std::uint8_t { kNone, kP256, kP384, kP521, kEd25519, kEd448 };

enum class Hash : std::uint8_t { kNone, kSha256, kSha384, kSha512 };

struct AlgInfo {
    Alg alg;
    std::string_view name;
    Family family;
    Hash hash;
    Curve curve;                 // ES* only
    bool pss;                    // RSASSA-PSS padding
    std::size_t signature_size;  // octets; 0 where the key decides
    std::size_t min_secret;      // octets of an HMAC secret (RFC 7518 section 3.2)
};

const AlgInfo& info(Alg alg) noexcept;

// Exact, case-sensitive match.
std::optional<Alg> find_alg(std::string_view name) noexcept;

std::optional<Curve> find_curve(std::string_view crv) noexcept;
std::string_view name_of(Curve curve) noexcept;
std::string_view name_of(Family family) noexcept;

class AlgSet {
public:
    constexpr AlgSet() = default;
    constexpr AlgSet(std::initializer_list<Alg> algs) {
        for (Alg alg : algs) insert(alg);
    }
    static constexpr AlgSet all() {
        AlgSet set;
        set.bits_ = (1u << kAlgCount) - 1;
        return set;
    }

    constexpr void insert(Alg alg) { bits_ |= 1u << static_cast<unsigned>(alg); }
    constexpr bool contains(Alg alg) const { return (bits_ >> static_cast<unsigned>(alg)) & 1u; }
    constexpr bool empty() const { return bits_ == 0; }
    constexpr AlgSet operator&(AlgSet other) const {
        AlgSet set;
        set.bits_ = bits_ & other.bits_;
        return set;
    }
    constexpr AlgSet operator|(AlgSet other) const {
        AlgSet set;
        set.bits_ = bits_ | other.bits_;
        return set;
    }
    constexpr bool operator==(const AlgSet&) const = default;
    constexpr int size() const { return std::popcount(bits_); }

    // "RS256 ES256", in the table's order.
    std::string names() const;

private:
    std::uint32_t bits_ = 0;
};

inline constexpr AlgSet kHmacAlgs{Alg::kHS256, Alg::kHS384, Alg::kHS512};

}  // namespace gate::crypto
