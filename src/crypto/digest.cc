#include "crypto/digest.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <climits>
#include <new>

#include "crypto/openssl_ptr.h"

namespace gate::crypto {

namespace {

// OpenSSL takes a key as pointer and int; a null pointer would mean "keep the previous key".
constexpr std::uint8_t kNoOctets[1] = {0};

// Only a lack of memory makes these fail, and zeros would be taken for a digest.
void check_memory(bool done) {
    if (!done) throw std::bad_alloc();
}

}  // namespace

Digest256 sha256(Bytes message) {
    ErrorQueueGuard guard;
    Digest256 digest{};
    check_memory(EVP_Digest(message.data(), message.size(), digest.data(), nullptr, EVP_sha256(),
                            nullptr) == 1);
    return digest;
}

Digest256 hmac_sha256(Bytes key, Bytes message) {
    ErrorQueueGuard guard;
    Digest256 digest{};
    std::size_t length = 0;
    check_memory(EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr,
                           key.empty() ? kNoOctets : key.data(), key.size(), message.data(),
                           message.size(), digest.data(), digest.size(), &length) != nullptr);
    return digest;
}

bool random_bytes(std::span<std::uint8_t> out) noexcept {
    ErrorQueueGuard guard;
    while (!out.empty()) {
        const std::size_t part = out.size() < INT_MAX ? out.size() : INT_MAX;
        if (RAND_bytes(out.data(), static_cast<int>(part)) != 1) return false;
        out = out.subspan(part);
    }
    return true;
}

bool equal_constant_time(Bytes a, Bytes b) noexcept {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace gate::crypto
