#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/rsa.h>

#include "crypto/ecdsa_sig.h"
#include "crypto/key_impl.h"

namespace gate::crypto {

namespace {

constexpr std::size_t kMaxDigest = 64;

struct DigestBuffer {
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> octets;
    unsigned size = 0;
};

bool prepare_digest(Verifier& verifier, const AlgInfo& alg, EVP_PKEY* key) noexcept {
    if (verifier.pkey) return true;
    MdPtr md(EVP_MD_fetch(nullptr, openssl_name(alg.hash), nullptr));
    MdCtxPtr hash(EVP_MD_CTX_new());
    PkeyCtxPtr ctx(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
    if (!md || !hash || !ctx || EVP_PKEY_verify_init(ctx.get()) != 1) return false;
    if (alg.family == Family::kRsa) {
        if (!configure_rsa(ctx.get(), alg.alg, md.get())) return false;
    } else if (EVP_PKEY_CTX_set_signature_md(ctx.get(), md.get()) != 1) {
        return false;
    }
    verifier.md = std::move(md);
    verifier.hash = std::move(hash);
    verifier.pkey = std::move(ctx);
    return true;
}

bool prepare_mac(Verifier& verifier, Hash hash, Bytes secret) noexcept {
    if (verifier.mac) return true;
    const MacPtr mac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
    MacCtxPtr ctx(EVP_MAC_CTX_new(mac.get()));
    if (!mac || !ctx) return false;
    // The library's interface takes a pointer to non-const and does not write through it.
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
                                         const_cast<char*>(openssl_name(hash)), 0),
        OSSL_PARAM_construct_end()};
    if (EVP_MAC_init(ctx.get(), secret.data(), secret.size(), params) != 1) return false;
    verifier.mac = std::move(ctx);
    return true;
}

bool digest_of(const Verifier& verifier, Bytes message, DigestBuffer& out) noexcept {
    EVP_MD_CTX* ctx = verifier.hash.get();
    return EVP_DigestInit_ex2(ctx, verifier.md.get(), nullptr) == 1 &&
           EVP_DigestUpdate(ctx, message.data(), message.size()) == 1 &&
           EVP_DigestFinal_ex(ctx, out.octets.data(), &out.size) == 1;
}

}  // namespace

const char* openssl_name(Hash hash) noexcept {
    switch (hash) {
        case Hash::kSha256:
            return "SHA256";
        case Hash::kSha384:
            return "SHA384";
        case Hash::kSha512:
            return "SHA512";
        case Hash::kNone:
            break;
    }
    return nullptr;
}

bool configure_rsa(EVP_PKEY_CTX* ctx, Alg alg, const EVP_MD* md) noexcept {
    if (!info(alg).pss) {
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
               EVP_PKEY_CTX_set_signature_md(ctx, md) == 1;
    }
    // RFC 7518 section 3.5: MGF1 with the same hash, and a salt as long as the hash.
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_signature_md(ctx, md) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
}

bool VerificationKey::Impl::verify_digest(Alg alg, Bytes message, Bytes signature) noexcept {
    std::optional<DerSignature> der;
    if (family == Family::kEc) {
        der = der_from_jws(curve, signature);
        if (!der) return false;
        signature = der->bytes();
    } else if (signature.size() != signature_size) {
        return false;
    }
    Verifier& verifier = verifiers[static_cast<std::size_t>(alg)];
    DigestBuffer digest;
    return prepare_digest(verifier, info(alg), pkey.get()) &&
           digest_of(verifier, message, digest) &&
           EVP_PKEY_verify(verifier.pkey.get(), signature.data(), signature.size(),
                           digest.octets.data(), digest.size) == 1;
}

bool VerificationKey::Impl::verify_eddsa(Bytes message, Bytes signature) noexcept {
    if (signature.size() != signature_size) return false;
    Verifier& verifier = verifiers[static_cast<std::size_t>(Alg::kEdDSA)];
    if (!verifier.hash) verifier.hash.reset(EVP_MD_CTX_new());
    // One-shot algorithms may be used once per initialisation; only the context is kept.
    return verifier.hash &&
           EVP_DigestVerifyInit(verifier.hash.get(), nullptr, nullptr, nullptr, pkey.get()) == 1 &&
           EVP_DigestVerify(verifier.hash.get(), signature.data(), signature.size(), message.data(),
                            message.size()) == 1;
}

bool VerificationKey::Impl::verify_hmac(Alg alg, Bytes message, Bytes signature) noexcept {
    const AlgInfo& entry = info(alg);
    if (signature.size() != entry.signature_size) return false;
    Verifier& verifier = verifiers[static_cast<std::size_t>(alg)];
    std::array<std::uint8_t, kMaxDigest> mac;
    std::size_t size = 0;
    // Without key and parameters the initialisation starts anew with the key it has.
    return prepare_mac(verifier, entry.hash, secret.bytes()) &&
           EVP_MAC_init(verifier.mac.get(), nullptr, 0, nullptr) == 1 &&
           EVP_MAC_update(verifier.mac.get(), message.data(), message.size()) == 1 &&
           EVP_MAC_final(verifier.mac.get(), mac.data(), &size, mac.size()) == 1 &&
           size == signature.size() && CRYPTO_memcmp(mac.data(), signature.data(), size) == 0;
}

bool VerificationKey::verify(Alg alg, Bytes message, Bytes signature) const noexcept {
    if (!impl_->algs.contains(alg)) return false;
    ErrorQueueGuard guard;
    switch (impl_->family) {
        case Family::kOct:
            return impl_->verify_hmac(alg, message, signature);
        case Family::kOkp:
            return impl_->verify_eddsa(message, signature);
        case Family::kRsa:
        case Family::kEc:
            return impl_->verify_digest(alg, message, signature);
    }
    return false;
}

}  // namespace gate::crypto
