#include <algorithm>
#include <cstdint>

#include "crypto/digest.h"
#include "jose/key_set.h"

namespace gate::jose {

namespace {

constexpr std::uint64_t kKnownSecrets[] = {
#include "jose/known_secrets.inc"
};

static_assert(std::ranges::is_sorted(kKnownSecrets));

}  // namespace

bool is_publicly_known_secret(Bytes secret) {
    const crypto::Digest256 digest = crypto::sha256(secret);
    std::uint64_t prefix = 0;
    for (std::size_t i = 0; i < sizeof prefix; ++i) prefix = prefix << 8 | digest[i];
    return std::ranges::binary_search(kKnownSecrets, prefix);
}

}  // namespace gate::jose
