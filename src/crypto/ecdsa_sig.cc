#include "crypto/ecdsa_sig.h"

#include <openssl/ec.h>

#include <algorithm>
#include <cstring>

#include "crypto/openssl_ptr.h"

namespace gate::crypto {

namespace {

using EcdsaSigPtr = OpensslPtr<ECDSA_SIG, ECDSA_SIG_free>;

// Orders n of the base points (FIPS 186-4, appendix D.1.2), big-endian.
constexpr std::array<std::uint8_t, 32> kOrderP256{
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
constexpr std::array<std::uint8_t, 48> kOrderP384{
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf,
    0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73};
constexpr std::array<std::uint8_t, 66> kOrderP521{
    0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xfa, 0x51, 0x86, 0x87, 0x83, 0xbf, 0x2f, 0x96, 0x6b,
    0x7f, 0xcc, 0x01, 0x48, 0xf7, 0x09, 0xa5, 0xd0, 0x3b, 0xb5, 0xc9, 0xb8, 0x89, 0x9c,
    0x47, 0xae, 0xbb, 0x6f, 0xb7, 0x1e, 0x91, 0x38, 0x64, 0x09};

Bytes order_of(Curve curve) noexcept {
    switch (curve) {
        case Curve::kP256:
            return kOrderP256;
        case Curve::kP384:
            return kOrderP384;
        case Curve::kP521:
            return kOrderP521;
        default:
            return {};
    }
}

// Whether 1 <= value < order; both big-endian and of one length. Signatures are public, so the time
// may depend on them.
bool in_range(Bytes value, Bytes order) noexcept {
    const bool zero =
        std::all_of(value.begin(), value.end(), [](auto octet) { return octet == 0; });
    return !zero && std::memcmp(value.data(), order.data(), order.size()) < 0;
}

// Appends a DER INTEGER: no leading zeros, but one where the sign bit would be set.
std::uint8_t* put_integer(std::uint8_t* to, Bytes value) noexcept {
    while (value.front() == 0) value = value.subspan(1);
    const bool sign_octet = (value.front() & 0x80) != 0;
    *to++ = 0x02;
    *to++ = static_cast<std::uint8_t>(value.size() + (sign_octet ? 1 : 0));
    if (sign_octet) *to++ = 0;
    return std::copy(value.begin(), value.end(), to);
}

}  // namespace

std::size_t coordinate_size(Curve curve) noexcept {
    return order_of(curve).size();
}

std::optional<DerSignature> der_from_jws(Curve curve, Bytes signature) noexcept {
    const Bytes order = order_of(curve);
    if (order.empty() || signature.size() != 2 * order.size()) return std::nullopt;
    const Bytes r = signature.first(order.size());
    const Bytes s = signature.last(order.size());
    if (!in_range(r, order) || !in_range(s, order)) return std::nullopt;

    // The content is written behind a header of the short form (2 octets) or, beyond 127 octets, of
    // the long form (3): room for the longer one is left and the unused octet closed afterwards.
    DerSignature der;
    std::uint8_t* const content = der.octets.data() + 3;
    const std::uint8_t* const end = put_integer(put_integer(content, r), s);
    const auto length = static_cast<std::size_t>(end - content);
    std::uint8_t* header = der.octets.data();
    *header++ = 0x30;
    if (length > 127) *header++ = 0x81;
    *header++ = static_cast<std::uint8_t>(length);
    if (header != content) std::memmove(header, content, length);
    der.size = static_cast<std::size_t>(header - der.octets.data()) + length;
    return der;
}

std::optional<ByteVector> jws_from_der(Curve curve, Bytes der) {
    ErrorQueueGuard guard;
    const std::size_t size = coordinate_size(curve);
    const std::uint8_t* cursor = der.data();
    const EcdsaSigPtr parsed(d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(der.size())));
    if (size == 0 || !parsed || cursor != der.data() + der.size()) return std::nullopt;
    ByteVector out(2 * size);
    const int width = static_cast<int>(size);
    if (BN_bn2binpad(ECDSA_SIG_get0_r(parsed.get()), out.data(), width) != width ||
        BN_bn2binpad(ECDSA_SIG_get0_s(parsed.get()), out.data() + size, width) != width) {
        return std::nullopt;
    }
    return out;
}

}  // namespace gate::crypto
