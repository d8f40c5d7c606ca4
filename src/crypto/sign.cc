#include "crypto/sign.h"

#include <openssl/core_names.h>
#include <openssl/pem.h>

#include <array>
#include <climits>
#include <utility>

#include "crypto/ecdsa_sig.h"
#include "crypto/key_impl.h"

namespace gate::crypto {

struct SigningKey::Impl {
    PkeyPtr pkey;
    Secret secret;
    std::shared_ptr<VerificationKey> verification;
};

namespace {

using PrivateNumber = OpensslPtr<BIGNUM, BN_clear_free>;

Failure<KeyFault> fault(KeyError error, std::string_view detail) {
    return fail(KeyFault{error, std::string(detail)});
}

PrivateNumber number_of(Bytes octets) {
    return PrivateNumber(BN_bin2bn(octets.data(), static_cast<int>(octets.size()), nullptr));
}

PkeyPtr make_rsa_pair(const RsaPrivate& members) {
    const std::array<std::pair<const char*, Bytes>, 8> fields{{
        {OSSL_PKEY_PARAM_RSA_N, members.n},
        {OSSL_PKEY_PARAM_RSA_E, members.e},
        {OSSL_PKEY_PARAM_RSA_D, members.d},
        {OSSL_PKEY_PARAM_RSA_FACTOR1, members.p},
        {OSSL_PKEY_PARAM_RSA_FACTOR2, members.q},
        {OSSL_PKEY_PARAM_RSA_EXPONENT1, members.dp},
        {OSSL_PKEY_PARAM_RSA_EXPONENT2, members.dq},
        {OSSL_PKEY_PARAM_RSA_COEFFICIENT1, members.qi},
    }};
    const ParamBuilderPtr builder(OSSL_PARAM_BLD_new());
    std::array<PrivateNumber, 8> numbers;  // the builder keeps pointers to them
    for (std::size_t i = 0; i < fields.size(); ++i) {
        numbers[i] = number_of(fields[i].second);
        if (!builder || fields[i].second.empty() || !numbers[i] ||
            OSSL_PARAM_BLD_push_BN(builder.get(), fields[i].first, numbers[i].get()) != 1) {
            return nullptr;
        }
    }
    const ParamsPtr params(OSSL_PARAM_BLD_to_param(builder.get()));
    return key_from_params("RSA", params.get(), EVP_PKEY_KEYPAIR);
}

PkeyPtr make_ec_pair(Curve curve, Bytes x, Bytes y, Bytes d) {
    const ByteVector point = uncompressed_point(x, y);
    const PrivateNumber scalar = number_of(d);
    const ParamBuilderPtr builder(OSSL_PARAM_BLD_new());
    if (!builder || !scalar ||
        OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                        openssl_name(curve), 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                         point.size()) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, scalar.get()) != 1) {
        return nullptr;
    }
    const ParamsPtr params(OSSL_PARAM_BLD_to_param(builder.get()));
    return key_from_params("EC", params.get(), EVP_PKEY_KEYPAIR);
}

// Whether private and public part belong together.
bool is_pair(EVP_PKEY* key) {
    const PkeyCtxPtr ctx(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
    return ctx && EVP_PKEY_pairwise_check(ctx.get()) == 1;
}

// OpenSSL would ask the terminal otherwise.
int no_password(char*, int, int, void*) {
    return -1;
}

std::optional<ByteVector> sign_hmac(Bytes secret, const AlgInfo& alg, Bytes message) {
    ByteVector mac(alg.signature_size);
    std::size_t size = 0;
    if (EVP_Q_mac(nullptr, "HMAC", nullptr, openssl_name(alg.hash), nullptr, secret.data(),
                  secret.size(), message.data(), message.size(), mac.data(), mac.size(),
                  &size) == nullptr) {
        return std::nullopt;
    }
    return mac;
}

std::optional<ByteVector> sign_pkey(EVP_PKEY* key, const AlgInfo& alg, Bytes message) {
    const MdCtxPtr ctx(EVP_MD_CTX_new());
    const MdPtr md(
        alg.hash == Hash::kNone ? nullptr : EVP_MD_fetch(nullptr, openssl_name(alg.hash), nullptr));
    EVP_PKEY_CTX* pkey_ctx = nullptr;  // owned by ctx
    if (!ctx || EVP_DigestSignInit(ctx.get(), &pkey_ctx, md.get(), nullptr, key) != 1 ||
        (alg.family == Family::kRsa && !configure_rsa(pkey_ctx, alg.alg, md.get()))) {
        return std::nullopt;
    }
    std::size_t size = 0;
    if (EVP_DigestSign(ctx.get(), nullptr, &size, message.data(), message.size()) != 1) {
        return std::nullopt;
    }
    ByteVector signature(size);
    if (EVP_DigestSign(ctx.get(), signature.data(), &size, message.data(), message.size()) != 1) {
        return std::nullopt;
    }
    signature.resize(size);
    return signature;
}

}  // namespace

SigningKey::SigningKey(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SigningKey::~SigningKey() = default;

SigningKeyResult SigningKey::make(Impl impl, KeyResult verification) {
    if (!verification) return fail(verification.error());
    if (impl.pkey && !is_pair(impl.pkey.get())) {
        return fault(KeyError::kBad, "private and public part do not belong together");
    }
    impl.verification = *std::move(verification);
    return std::shared_ptr<SigningKey>(new SigningKey(std::make_unique<Impl>(std::move(impl))));
}

AlgSet SigningKey::algs() const noexcept {
    return impl_->verification->algs();
}

const std::shared_ptr<VerificationKey>& SigningKey::verification_key() const noexcept {
    return impl_->verification;
}

SigningKeyResult SigningKey::from_secret(Bytes secret) {
    return make({nullptr, Secret(secret), nullptr}, VerificationKey::from_secret(secret));
}

SigningKeyResult SigningKey::from_rsa(const RsaPrivate& members) {
    ErrorQueueGuard guard;
    auto verification = VerificationKey::from_rsa(members.n, members.e);
    if (!verification) return fail(verification.error());
    PkeyPtr key = make_rsa_pair(members);
    if (!key) return fault(KeyError::kBad, "not an RSA private key with all CRT members");
    return make({std::move(key), Secret(), nullptr}, std::move(verification));
}

SigningKeyResult SigningKey::from_ec(Curve curve, Bytes x, Bytes y, Bytes d) {
    ErrorQueueGuard guard;
    auto verification = VerificationKey::from_ec(curve, x, y);
    if (!verification) return fail(verification.error());
    PkeyPtr key = d.size() == x.size() ? make_ec_pair(curve, x, y, d) : nullptr;
    if (!key) return fault(KeyError::kBad, "not an EC private key");
    return make({std::move(key), Secret(), nullptr}, std::move(verification));
}

SigningKeyResult SigningKey::from_okp(Curve curve, Bytes d) {
    ErrorQueueGuard guard;
    if (curve != Curve::kEd25519 && curve != Curve::kEd448) {
        return fault(KeyError::kUnsupported, "not a curve of EdDSA");
    }
    PkeyPtr key(
        EVP_PKEY_new_raw_private_key_ex(nullptr, openssl_name(curve), nullptr, d.data(), d.size()));
    if (!key) return fault(KeyError::kBad, "not an OKP private key");
    auto verification = public_part(key.get());
    return make({std::move(key), Secret(), nullptr}, std::move(verification));
}

SigningKeyResult SigningKey::from_pem(std::string_view pem) {
    ErrorQueueGuard guard;
    if (pem.size() > INT_MAX) return fault(KeyError::kBad, "PEM text too long");
    const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    PkeyPtr key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr) : nullptr);
    if (!key) return fault(KeyError::kBad, "no PEM block with an unencrypted private key");
    auto verification = public_part(key.get());
    return make({std::move(key), Secret(), nullptr}, std::move(verification));
}

std::optional<ByteVector> SigningKey::sign(Alg alg, Bytes message) const {
    if (!algs().contains(alg)) return std::nullopt;
    ErrorQueueGuard guard;
    const AlgInfo& entry = info(alg);
    if (entry.family == Family::kOct) return sign_hmac(impl_->secret.bytes(), entry, message);
    auto signature = sign_pkey(impl_->pkey.get(), entry, message);
    if (!signature || entry.family != Family::kEc) return signature;
    return jws_from_der(entry.curve, *signature);
}

}  // namespace gate::crypto
