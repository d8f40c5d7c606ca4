#include <openssl/core_names.h>
#include <openssl/pem.h>

#include <climits>
#include <string>

#include "crypto/ecdsa_sig.h"
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

BignumPtr number_of(const EVP_PKEY* key, const char* parameter) {
    BIGNUM* number = nullptr;
    EVP_PKEY_get_bn_param(key, parameter, &number);
    return BignumPtr(number);
}

ByteVector octets_of(const BIGNUM* number, std::size_t size) {
    ByteVector out(size);
    if (BN_bn2binpad(number, out.data(), static_cast<int>(size)) < 0) out.clear();
    return out;
}

KeyResult rebuild_rsa(const EVP_PKEY* key) {
    const BignumPtr n = number_of(key, OSSL_PKEY_PARAM_RSA_N);
    const BignumPtr e = number_of(key, OSSL_PKEY_PARAM_RSA_E);
    if (!n || !e) return fault(KeyError::kBad, "not an RSA key");
    return VerificationKey::from_rsa(
        octets_of(n.get(), static_cast<std::size_t>(BN_num_bytes(n.get()))),
        octets_of(e.get(), static_cast<std::size_t>(BN_num_bytes(e.get()))));
}

KeyResult rebuild_ec(const EVP_PKEY* key) {
    char group[32] = "";
    std::size_t length = 0;
    EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, &length);
    const std::string_view name(group);
    const Curve curve = name == "prime256v1"  ? Curve::kP256
                        : name == "secp384r1" ? Curve::kP384
                        : name == "secp521r1" ? Curve::kP521
                                              : Curve::kNone;
    const std::size_t size = coordinate_size(curve);
    const BignumPtr x = number_of(key, OSSL_PKEY_PARAM_EC_PUB_X);
    const BignumPtr y = number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y);
    if (size == 0) return fault(KeyError::kUnsupported, "EC curve other than P-256, P-384, P-521");
    if (!x || !y) return fault(KeyError::kBad, "not an EC key");
    return VerificationKey::from_ec(curve, octets_of(x.get(), size), octets_of(y.get(), size));
}

KeyResult rebuild_okp(const EVP_PKEY* key, Curve curve) {
    ByteVector x(curve == Curve::kEd25519 ? 32 : 57);
    std::size_t size = x.size();
    if (EVP_PKEY_get_raw_public_key(key, x.data(), &size) != 1) {
        return fault(KeyError::kBad, "not an OKP key");
    }
    return VerificationKey::from_okp(curve, x);
}

}  // namespace

KeyResult public_part(const EVP_PKEY* key) {
    if (EVP_PKEY_is_a(key, "RSA")) return rebuild_rsa(key);
    if (EVP_PKEY_is_a(key, "EC")) return rebuild_ec(key);
    if (EVP_PKEY_is_a(key, "ED25519")) return rebuild_okp(key, Curve::kEd25519);
    if (EVP_PKEY_is_a(key, "ED448")) return rebuild_okp(key, Curve::kEd448);
    return fault(KeyError::kUnsupported, "key type other than RSA, EC, Ed25519, Ed448");
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
