#include "apikey/key_digest.h"

#include <algorithm>

#include "base/ascii.h"

namespace gate::apikey {

crypto::Digest256 digest_key(std::string_view key, DigestKind kind, Bytes pepper) {
    if (kind == DigestKind::kHmacSha256) return crypto::hmac_sha256(pepper, bytes_of(key));
    return crypto::sha256(bytes_of(key));
}

std::optional<crypto::Digest256> parse_digest(std::string_view hex) {
    crypto::Digest256 digest{};
    const auto octets = from_hex(hex);
    if (!octets || !is_lower_hex(hex, 2 * digest.size())) return std::nullopt;
    std::ranges::copy(*octets, digest.begin());
    return digest;
}

}  // namespace gate::apikey
