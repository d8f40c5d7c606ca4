#include <openssl/pem.h>

#include <climits>
#include <string>

#include "crypto/key_impl.h"

namespace gate::crypto {

namespace {

struct OpensslFree {
    void operator()(void* memory) const noexcept { OPENSSL_free(memory); }
};

struct PemBlock {
    std::string label;
    std::unique_ptr<unsigned char, OpensslFree> der;
    long size = 0;
};

Failure<KeyFault> fault(KeyError error, std::string_view detail) {
    return fail(KeyFault{error, std::string(detail)});
}

// The next block of a PEM text; an empty label where there is none, or where it is encrypted.
PemBlock next_block(BIO* bio) {
    char* name = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    PemBlock block;
    if (PEM_read_bio(bio, &name, &header, &data, &block.size) != 1) return block;
    const std::unique_ptr<char, OpensslFree> name_owner(name);
    const std::unique_ptr<char, OpensslFree> header_owner(header);
    block.der.reset(data);
    if (header[0] == '\0') block.label = name;
    return block;
}

PkeyPtr parse_block(const PemBlock& block) {
    const unsigned char* cursor = block.der.get();
    PkeyPtr key;
    if (block.label == "PUBLIC KEY") {
        key.reset(d2i_PUBKEY(nullptr, &cursor, block.size));
    } else if (block.label == "RSA PUBLIC KEY") {
        key.reset(d2i_PublicKey(EVP_PKEY_RSA, nullptr, &cursor, block.size));
    } else {
        const X509Ptr certificate(d2i_X509(nullptr, &cursor, block.size));
        if (certificate) key.reset(X509_get_pubkey(certificate.get()));
    }
    return cursor == block.der.get() + block.size ? std::move(key) : nullptr;
}

}  // namespace

KeyResult public_part(const EVP_PKEY* key) {
    const Curve curve = curve_of(key);
    const PublicParameters parameters = parameters_of(key);
    if (EVP_PKEY_is_a(key, "RSA")) {
        if (parameters.n.empty() || parameters.e.empty()) {
            return fault(KeyError::kBad, "not an RSA key");
        }
        return VerificationKey::from_rsa(parameters.n, parameters.e);
    }
    if (EVP_PKEY_is_a(key, "EC")) {
        if (curve == Curve::kNone) {
            return fault(KeyError::kUnsupported, "EC curve other than P-256, P-384, P-521");
        }
        if (parameters.x.empty() || parameters.y.empty()) {
            return fault(KeyError::kBad, "not an EC key");
        }
        return VerificationKey::from_ec(curve, parameters.x, parameters.y);
    }
    if (curve == Curve::kNone) {
        return fault(KeyError::kUnsupported, "key type other than RSA, EC, Ed25519, Ed448");
    }
    if (parameters.x.empty()) return fault(KeyError::kBad, "not an OKP key");
    return VerificationKey::from_okp(curve, parameters.x);
}

KeyResult VerificationKey::from_pem(std::string_view pem) {
    ErrorQueueGuard guard;
    if (pem.size() > INT_MAX) return fault(KeyError::kBad, "PEM text too long");
    const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    if (!bio) return fault(KeyError::kBad, "no PEM block");
    const PemBlock block = next_block(bio.get());
    if (!block.der) return fault(KeyError::kBad, "no PEM block");
    if (block.label.find("PRIVATE KEY") != std::string::npos || block.label.empty()) {
        return fault(KeyError::kBad, "a private key, where a public key or certificate belongs");
    }
    if (block.label != "PUBLIC KEY" && block.label != "RSA PUBLIC KEY" &&
        block.label != "CERTIFICATE") {
        return fault(KeyError::kBad,
                     "a PEM block other than PUBLIC KEY, RSA PUBLIC KEY, CERTIFICATE");
    }
    if (next_block(bio.get()).der) return fault(KeyError::kBad, "more than one PEM block");
    const PkeyPtr key = parse_block(block);
    if (!key) return fault(KeyError::kBad, "the PEM block holds no public key");
    return public_part(key.get());
}

}  // namespace gate::crypto
