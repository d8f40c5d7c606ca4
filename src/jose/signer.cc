#include "jose/signer.h"

#include "base/base64url.h"
#include "jose/jwk.h"

namespace gate::jose {

namespace {

using crypto::KeyFault;
using crypto::SigningKey;
using crypto::SigningKeyResult;

Failure<KeyFault> bad(std::string_view detail) {
    return fail(KeyFault{crypto::KeyError::kBad, std::string(detail)});
}

// A member as a secret; empty where octets_member() finds nothing.
Secret private_member(Value jwk, std::string_view name) {
    auto octets = octets_member(jwk, name);
    if (!octets) return Secret();
    Secret secret(*octets);
    wipe(octets->data(), octets->size());
    return secret;
}

SigningKeyResult read_rsa(Value jwk) {
    const Secret n = private_member(jwk, "n"), e = private_member(jwk, "e");
    const Secret d = private_member(jwk, "d"), p = private_member(jwk, "p");
    const Secret q = private_member(jwk, "q"), dp = private_member(jwk, "dp");
    const Secret dq = private_member(jwk, "dq"), qi = private_member(jwk, "qi");
    return SigningKey::from_rsa({n.bytes(), e.bytes(), d.bytes(), p.bytes(), q.bytes(), dp.bytes(),
                                 dq.bytes(), qi.bytes()});
}

}  // namespace

crypto::SigningKeyResult read_signing_jwk(Value jwk) {
    const std::string_view kty = jwk.member("kty").string().value_or("");
    const auto curve = crypto::find_curve(jwk.member("crv").string().value_or(""));
    if (kty == "oct") return SigningKey::from_secret(private_member(jwk, "k").bytes());
    if (kty == "RSA") return read_rsa(jwk);
    if (kty != "EC" && kty != "OKP") return bad("unknown \"kty\"");
    if (!curve) return bad("unknown \"crv\"");
    const Secret d = private_member(jwk, "d");
    if (kty == "OKP") return SigningKey::from_okp(*curve, d.bytes());
    const Secret x = private_member(jwk, "x"), y = private_member(jwk, "y");
    return SigningKey::from_ec(*curve, x.bytes(), y.bytes(), d.bytes());
}

std::optional<std::string> sign_compact(const crypto::SigningKey& key, crypto::Alg alg,
                                        std::string_view header, std::string_view payload) {
    std::string text = base64url_encode(bytes_of(header));
    text += '.';
    text += base64url_encode(bytes_of(payload));
    const auto signature = key.sign(alg, bytes_of(text));
    if (!signature) return std::nullopt;
    text += '.';
    text += base64url_encode(*signature);
    return text;
}

}  // namespace gate::jose
