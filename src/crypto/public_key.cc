#include "crypto/public_key.h"

#include <openssl/core_names.h>

#include "crypto/ecdsa_sig.h"
#include "crypto/key_checks.h"
#include "crypto/key_impl.h"

namespace gate::crypto {

namespace {

constexpr std::size_t kMaxRsaOctets = kMaxRsaBits / 8;

Failure<KeyFault> fault(KeyError error, std::string_view detail) {
    return fail(KeyFault{error, std::string(detail)});
}

PkeyPtr make_rsa(Bytes n, Bytes e) {
    const BignumPtr modulus(BN_bin2bn(n.data(), static_cast<int>(n.size()), nullptr));
    const BignumPtr exponent(BN_bin2bn(e.data(), static_cast<int>(e.size()), nullptr));
    const ParamBuilderPtr builder(OSSL_PARAM_BLD_new());
    if (!modulus || !exponent || !builder ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1) {
        return nullptr;
    }
    const ParamsPtr params(OSSL_PARAM_BLD_to_param(builder.get()));
    return key_from_params("RSA", params.get(), EVP_PKEY_PUBLIC_KEY);
}

PkeyPtr make_ec(Curve curve, Bytes x, Bytes y) {
    ByteVector point = uncompressed_point(x, y);
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
                                         const_cast<char*>(openssl_name(curve)), 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
        OSSL_PARAM_construct_end()};
    PkeyPtr key = key_from_params("EC", params, EVP_PKEY_PUBLIC_KEY);
    if (!key) return nullptr;
    const PkeyCtxPtr check(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
    return check && EVP_PKEY_public_check(check.get()) == 1 ? std::move(key) : nullptr;
}

Alg ecdsa_of(Curve curve) noexcept {
    return curve == Curve::kP256 ? Alg::kES256 : curve == Curve::kP384 ? Alg::kES384 : Alg::kES512;
}

}  // namespace

PkeyPtr key_from_params(const char* type, const OSSL_PARAM* params, int selection) {
    const PkeyCtxPtr ctx(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* key = nullptr;
    // The library takes the parameters by pointer to non-const and only reads them.
    if (!ctx || params == nullptr || EVP_PKEY_fromdata_init(ctx.get()) != 1 ||
        EVP_PKEY_fromdata(ctx.get(), &key, selection, const_cast<OSSL_PARAM*>(params)) != 1) {
        return nullptr;
    }
    return PkeyPtr(key);
}

ByteVector uncompressed_point(Bytes x, Bytes y) {
    ByteVector point;
    point.reserve(1 + x.size() + y.size());
    point.push_back(0x04);
    point.insert(point.end(), x.begin(), x.end());
    point.insert(point.end(), y.begin(), y.end());
    return point;
}

const char* openssl_name(Curve curve) noexcept {
    switch (curve) {
        case Curve::kP256:
            return "prime256v1";
        case Curve::kP384:
            return "secp384r1";
        case Curve::kP521:
            return "secp521r1";
        case Curve::kEd25519:
            return "ED25519";
        case Curve::kEd448:
            return "ED448";
        case Curve::kNone:
            break;
    }
    return nullptr;
}

VerificationKey::VerificationKey(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
VerificationKey::~VerificationKey() = default;

KeyResult VerificationKey::make(std::unique_ptr<Impl> impl) {
    return std::shared_ptr<VerificationKey>(new VerificationKey(std::move(impl)));
}

Family VerificationKey::family() const noexcept {
    return impl_->family;
}
Curve VerificationKey::curve() const noexcept {
    return impl_->curve;
}
unsigned VerificationKey::bits() const noexcept {
    return impl_->bits;
}
AlgSet VerificationKey::algs() const noexcept {
    return impl_->algs;
}

KeyResult VerificationKey::from_secret(Bytes secret) {
    auto impl = std::make_unique<Impl>();
    for (const Alg alg : {Alg::kHS256, Alg::kHS384, Alg::kHS512}) {
        if (secret.size() >= info(alg).min_secret) impl->algs.insert(alg);
    }
    if (impl->algs.empty()) return fault(KeyError::kWeak, "HMAC secret shorter than 32 octets");
    impl->family = Family::kOct;
    impl->bits = static_cast<unsigned>(secret.size() * 8);
    impl->secret = Secret(secret);
    return make(std::move(impl));
}

KeyResult VerificationKey::from_rsa(Bytes n, Bytes e) {
    ErrorQueueGuard guard;
    if (n.empty() || e.empty()) return fault(KeyError::kBad, "RSA modulus or exponent is empty");
    // Before any arithmetic: a modulus of megabytes must cost nothing.
    if (n.size() > kMaxRsaOctets + 1) {
        return fault(KeyError::kWeak, "RSA modulus longer than 8192 bits");
    }
    if (const char* weakness = rsa_weakness(n, e)) return fault(KeyError::kWeak, weakness);
    auto impl = std::make_unique<Impl>();
    impl->pkey = make_rsa(n, e);
    if (!impl->pkey) return fault(KeyError::kBad, "not an RSA key");
    impl->family = Family::kRsa;
    impl->bits = static_cast<unsigned>(bit_length(n));
    impl->signature_size = (impl->bits + 7) / 8;
    impl->algs = {Alg::kRS256, Alg::kRS384, Alg::kRS512, Alg::kPS256, Alg::kPS384, Alg::kPS512};
    return make(std::move(impl));
}

KeyResult VerificationKey::from_ec(Curve curve, Bytes x, Bytes y) {
    ErrorQueueGuard guard;
    const std::size_t size = coordinate_size(curve);
    if (size == 0) return fault(KeyError::kUnsupported, "not a curve of ECDSA");
    if (x.size() != size || y.size() != size) {
        return fault(KeyError::kBad, "EC coordinate of another length than the curve's");
    }
    auto impl = std::make_unique<Impl>();
    impl->pkey = make_ec(curve, x, y);
    if (!impl->pkey) return fault(KeyError::kBad, "EC point is not on the curve");
    impl->family = Family::kEc;
    impl->curve = curve;
    impl->bits = static_cast<unsigned>(EVP_PKEY_get_bits(impl->pkey.get()));
    impl->algs = {ecdsa_of(curve)};
    return make(std::move(impl));
}

KeyResult VerificationKey::from_okp(Curve curve, Bytes x) {
    ErrorQueueGuard guard;
    if (curve != Curve::kEd25519 && curve != Curve::kEd448) {
        return fault(KeyError::kUnsupported, "not a curve of EdDSA");
    }
    const std::size_t size = curve == Curve::kEd25519 ? 32 : 57;
    if (x.size() != size)
        return fault(KeyError::kBad, "OKP key of another length than the curve's");
    if (is_small_order(curve, x))
        return fault(KeyError::kWeak, "OKP key is a point of small order");
    if (!is_edwards_point(curve, x)) return fault(KeyError::kBad, "OKP key is not on the curve");
    auto impl = std::make_unique<Impl>();
    impl->pkey.reset(
        EVP_PKEY_new_raw_public_key_ex(nullptr, openssl_name(curve), nullptr, x.data(), x.size()));
    if (!impl->pkey) return fault(KeyError::kBad, "not an OKP key");
    impl->family = Family::kOkp;
    impl->curve = curve;
    impl->bits = static_cast<unsigned>(EVP_PKEY_get_bits(impl->pkey.get()));
    impl->signature_size = 2 * size;
    impl->algs = {Alg::kEdDSA};
    return make(std::move(impl));
}

}  // namespace gate::crypto
