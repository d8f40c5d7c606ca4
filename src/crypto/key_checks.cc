#include "crypto/key_checks.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "crypto/openssl_ptr.h"

namespace gate::crypto {

namespace {

using BnCtxPtr = OpensslPtr<BN_CTX, BN_CTX_free>;

constexpr unsigned kMaxExponentBits = 34;  // 2^33 itself has 34
constexpr std::uint64_t kMaxExponent = std::uint64_t{1} << 33;

constexpr std::array<std::uint32_t, 38> kRocaPrimes{
    3,  5,  7,  11, 13, 17,  19,  23,  29,  31,  37,  41,  43,  47,  53,  59,  61,  67,  71,
    73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};

Bytes without_leading_zeros(Bytes number) noexcept {
    while (!number.empty() && number.front() == 0) number = number.subspan(1);
    return number;
}

std::uint32_t remainder(Bytes number, std::uint32_t modulus) noexcept {
    std::uint32_t rest = 0;
    for (std::uint8_t octet : number) rest = (rest * 256 + octet) % modulus;
    return rest;
}

bool is_power_of_65537(std::uint32_t value, std::uint32_t prime) noexcept {
    const std::uint32_t generator = 65537 % prime;
    std::uint32_t power = 1;
    do {
        if (power == value) return true;
        power = power * generator % prime;
    } while (power != 1);
    return false;
}

struct Edwards {
    const char* prime;       // hexadecimal
    std::size_t y_octets;    // of the encoding that belong to y, sign bit included where it shares
    const char* d_negative;  // -d as a fraction: numerator, hexadecimal
    const char* d_denominator;
    bool x_squared_negative;  // curve equation has -x^2 (Ed25519) instead of +x^2 (Ed448)
};

// RFC 8032 sections 5.1 and 5.2: d = -121665/121666 and d = -39081.
constexpr Edwards kEd25519{"7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed", 32,
                           "1db41", "1db42", true};
constexpr Edwards kEd448{
    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffe"
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    56, "98a9", "1", false};

BignumPtr from_hex_number(const char* hex) {
    BIGNUM* number = nullptr;
    BN_hex2bn(&number, hex);
    return BignumPtr(number);
}

// y of an encoding: little-endian without the sign bit; empty when the spare octet of Ed448 is
// used.
ByteVector y_coordinate(Curve curve, Bytes x) {
    ByteVector y(x.begin(), x.end());
    y.back() &= 0x7f;
    if (curve == Curve::kEd448) {
        if (y.back() != 0) return {};
        y.pop_back();
    }
    return y;
}

// Whether x^2 = u/v has a root, with u = y^2 - 1 and v = d*y^2 + 1 (Ed25519) or d*y^2 - 1 (Ed448).
// Both are multiplied by the denominator of -d and v turned positive, which keeps the quotient:
// Ed25519: u = den*(y^2 - 1), v = den - num*y^2; Ed448: u = 1 - y^2, v = num*y^2 + 1.
bool has_x(const Edwards& edwards, const BIGNUM* p, const BIGNUM* y, BN_CTX* scratch) {
    const BignumPtr num = from_hex_number(edwards.d_negative);
    const BignumPtr den = from_hex_number(edwards.d_denominator);
    const BignumPtr yy(BN_new()), u(BN_new()), v(BN_new()), uv(BN_new());
    if (!num || !den || !yy || !u || !v || !uv) return false;
    const BIGNUM* one = BN_value_one();
    bool ok = BN_mod_sqr(yy.get(), y, p, scratch) == 1 &&
              BN_mod_mul(v.get(), num.get(), yy.get(), p, scratch) == 1;
    if (edwards.x_squared_negative) {
        ok = ok && BN_mod_sub(u.get(), yy.get(), one, p, scratch) == 1 &&
             BN_mod_mul(u.get(), u.get(), den.get(), p, scratch) == 1 &&
             BN_mod_sub(v.get(), den.get(), v.get(), p, scratch) == 1;
    } else {
        ok = ok && BN_mod_sub(u.get(), one, yy.get(), p, scratch) == 1 &&
             BN_mod_add(v.get(), v.get(), one, p, scratch) == 1;
    }
    // u/v is a square exactly where u*v is: they differ by v^2.
    return ok && BN_mod_mul(uv.get(), u.get(), v.get(), p, scratch) == 1 &&
           (BN_is_zero(uv.get()) || BN_kronecker(uv.get(), p, scratch) == 1);
}

bool all_equal(Bytes octets, std::uint8_t value) noexcept {
    return std::all_of(octets.begin(), octets.end(), [value](auto o) { return o == value; });
}

// The y of the points of order 8 on Ed25519, little-endian.
constexpr std::array<std::array<std::uint8_t, 32>, 2> kOrderEightY{{
    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
     0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
     0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
     0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
     0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
}};

// Ed25519 y (without sign bit) that is 0, 1 or -1 modulo p, or of order 8. p = 2^255 - 19 ends in
// 0xed, so -1, 0 and 1 have the spellings 0xec.., 0xed.. and 0xee.. besides 0 and 1.
bool is_small_order_25519(Bytes y) noexcept {
    const Bytes middle = y.subspan(1, 30);
    if (y[31] == 0 && all_equal(middle, 0)) return y[0] <= 1;
    if (y[31] == 0x7f && all_equal(middle, 0xff)) return y[0] >= 0xec && y[0] <= 0xee;
    return std::any_of(kOrderEightY.begin(), kOrderEightY.end(),
                       [y](const auto& point) { return std::ranges::equal(point, y); });
}

// The same for Ed448, whose small orders are 1, 2 and 4: p = 2^448 - 2^224 - 1.
bool is_small_order_448(Bytes y) noexcept {
    if (all_equal(y.subspan(1), 0)) return y[0] <= 1;
    const bool near_p =
        all_equal(y.subspan(1, 27), 0xff) && y[28] == 0xfe && all_equal(y.subspan(29), 0xff);
    if (near_p) return y[0] >= 0xfe;
    // p + 1 = 2^448 - 2^224: the low half is zero, the high half all ones.
    return all_equal(y.first(28), 0) && all_equal(y.subspan(28), 0xff);
}

}  // namespace

std::size_t bit_length(Bytes number) noexcept {
    number = without_leading_zeros(number);
    if (number.empty()) return 0;
    return number.size() * 8 - static_cast<std::size_t>(std::countl_zero(number.front()));
}

bool has_roca_shape(Bytes n) {
    return std::all_of(kRocaPrimes.begin(), kRocaPrimes.end(), [n](std::uint32_t prime) {
        return is_power_of_65537(remainder(n, prime), prime);
    });
}

const char* rsa_weakness(Bytes n, Bytes e) {
    const std::size_t bits = bit_length(n);
    if (bits < kMinRsaBits) return "RSA modulus shorter than 2048 bits";
    if (bits > kMaxRsaBits) return "RSA modulus longer than 8192 bits";
    if ((n.back() & 1) == 0) return "RSA modulus is even";
    if (bit_length(e) > kMaxExponentBits) return "RSA exponent above 2^33";
    std::uint64_t exponent = 0;
    for (std::uint8_t octet : without_leading_zeros(e)) exponent = exponent << 8 | octet;
    if (exponent > kMaxExponent) return "RSA exponent above 2^33";
    if (exponent < 3) return "RSA exponent below 3";
    if ((exponent & 1) == 0) return "RSA exponent is even";
    if (has_roca_shape(n)) return "RSA modulus with the ROCA flaw (CVE-2017-15361)";
    return nullptr;
}

bool is_small_order(Curve curve, Bytes x) noexcept {
    std::array<std::uint8_t, 57> copy;
    std::copy(x.begin(), x.end(), copy.begin());
    copy[x.size() - 1] &= 0x7f;
    if (curve == Curve::kEd25519) return is_small_order_25519(Bytes(copy).first(32));
    return copy[56] == 0 && is_small_order_448(Bytes(copy).first(56));
}

bool is_edwards_point(Curve curve, Bytes x) {
    ErrorQueueGuard guard;
    const Edwards& edwards = curve == Curve::kEd25519 ? kEd25519 : kEd448;
    const ByteVector octets = y_coordinate(curve, x);
    if (octets.size() != edwards.y_octets) return false;
    const BignumPtr p = from_hex_number(edwards.prime);
    const BignumPtr y(BN_lebin2bn(octets.data(), static_cast<int>(octets.size()), nullptr));
    const BnCtxPtr scratch(BN_CTX_new());
    if (!p || !y || !scratch || BN_cmp(y.get(), p.get()) >= 0) return false;
    return has_x(edwards, p.get(), y.get(), scratch.get());
}

}  // namespace gate::crypto
