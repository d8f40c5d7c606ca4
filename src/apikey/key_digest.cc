#include "apikey/key_digest.h"

namespace gate::apikey {

crypto::Digest256 digest_key(std::string_view key, DigestKind kind, Bytes pepper) {
    if (kind == DigestKind::kHmacSha256) return crypto::hmac_sha256(pepper, bytes_of(key));
    return crypto::sha256(bytes_of(key));
}

}  // namespace gate::apikey
