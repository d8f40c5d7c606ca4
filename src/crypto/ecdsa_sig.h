// ECDSA signatures between the two forms in use: JWS writes R and S as two fixed-length big-endian
// integers (RFC 7518 section 3.4), OpenSSL wants and gives DER.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "crypto/alg.h"

namespace gate::crypto {

// Octets of a coordinate or of R: 32, 48, 66; 0 for a curve without ECDSA.
std::size_t coordinate_size(Curve curve) noexcept;

// Room for the longest one: SEQUENCE of two INTEGERs of 66 octets and a sign octet each.
struct DerSignature {
    std::array<std::uint8_t, 144> octets;
    std::size_t size;

    Bytes bytes() const noexcept { return {octets.data(), size}; }
};

// nullopt unless `signature` has exactly two coordinates and R and S lie in 1..n-1. No allocation.
std::optional<DerSignature> der_from_jws(Curve curve, Bytes signature) noexcept;

// R||S of a DER signature; nullopt when `der` is not one for this curve.
std::optional<ByteVector> jws_from_der(Curve curve, Bytes der);

}  // namespace gate::crypto
