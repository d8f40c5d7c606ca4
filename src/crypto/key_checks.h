// What makes a public key unfit although it is well formed: RSA sizes and exponents, the ROCA flaw
// (CVE-2017-15361), Edwards points of small order. `nullptr` means fit; otherwise a text for
// people.
#pragma once

#include "base/bytes.h"
#include "crypto/alg.h"

namespace gate::crypto {

inline constexpr unsigned kMinRsaBits = 2048;
inline constexpr unsigned kMaxRsaBits = 8192;

// Bits of a big-endian number.
std::size_t bit_length(Bytes number) noexcept;

// Big-endian modulus and exponent. Looks at no more than kMaxRsaBits.
const char* rsa_weakness(Bytes n, Bytes e);

// Whether a modulus has the shape of the keys that Infineon's library made (Nemec et al., "The
// Return of Coppersmith's Attack", CCS 2017): modulo each small prime it lies in the subgroup of
// 65537. A random modulus does so with a probability of about 2^-27.
bool has_roca_shape(Bytes n);

// `x` has the length of the curve. Small order means order 1, 2, 4 or 8.
bool is_small_order(Curve curve, Bytes x) noexcept;

// Whether `x` encodes a point of the curve in its one canonical form (RFC 8032 5.1.3, 5.2.3).
bool is_edwards_point(Curve curve, Bytes x);

}  // namespace gate::crypto
