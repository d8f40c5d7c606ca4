#include <openssl/core_names.h>

#include <string_view>

#include "crypto/ecdsa_sig.h"
#include "crypto/key_impl.h"

namespace gate::crypto {

namespace {

// Of `size` octets, or as few as it takes.
ByteVector number_of(const EVP_PKEY* key, const char* parameter, std::size_t size = 0) {
    BIGNUM* found = nullptr;
    EVP_PKEY_get_bn_param(key, parameter, &found);
    const BignumPtr number(found);
    if (!number) return {};
    if (size == 0) size = static_cast<std::size_t>(BN_num_bytes(number.get()));
    ByteVector out(size);
    if (BN_bn2binpad(number.get(), out.data(), static_cast<int>(size)) < 0) out.clear();
    return out;
}

ByteVector raw_public_key(const EVP_PKEY* key, std::size_t size) {
    ByteVector out(size);
    if (EVP_PKEY_get_raw_public_key(key, out.data(), &size) != 1) out.clear();
    return out;
}

Curve named_curve(const EVP_PKEY* key) {
    char group[32] = "";
    std::size_t length = 0;
    EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, &length);
    const std::string_view name(group);
    return name == "prime256v1"  ? Curve::kP256
           : name == "secp384r1" ? Curve::kP384
           : name == "secp521r1" ? Curve::kP521
                                 : Curve::kNone;
}

}  // namespace

Curve curve_of(const EVP_PKEY* key) {
    if (EVP_PKEY_is_a(key, "EC")) return named_curve(key);
    if (EVP_PKEY_is_a(key, "ED25519")) return Curve::kEd25519;
    if (EVP_PKEY_is_a(key, "ED448")) return Curve::kEd448;
    return Curve::kNone;
}

PublicParameters parameters_of(const EVP_PKEY* key) {
    PublicParameters out;
    const Curve curve = curve_of(key);
    if (EVP_PKEY_is_a(key, "RSA")) {
        out.n = number_of(key, OSSL_PKEY_PARAM_RSA_N);
        out.e = number_of(key, OSSL_PKEY_PARAM_RSA_E);
    } else if (curve == Curve::kEd25519 || curve == Curve::kEd448) {
        out.x = raw_public_key(key, curve == Curve::kEd25519 ? 32 : 57);
    } else if (curve != Curve::kNone) {
        out.x = number_of(key, OSSL_PKEY_PARAM_EC_PUB_X, coordinate_size(curve));
        out.y = number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y, coordinate_size(curve));
    }
    return out;
}

PublicParameters VerificationKey::public_parameters() const {
    return impl_->pkey ? parameters_of(impl_->pkey.get()) : PublicParameters{};
}

}  // namespace gate::crypto
