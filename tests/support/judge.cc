#include "tests/support/judge.h"

#include "jose/jwt.h"

namespace gate::test {

namespace {

template <class Judge>
Reason with_keys(std::string_view jwks, Judge judge) {
    jose::KeySet keys;
    if (const auto loaded = keys.add_jwks(jwks); !loaded) return loaded.error().reason;
    return judge(keys);
}

}  // namespace

Reason judge_jws(const jose::KeySet& keys, std::string_view text, crypto::AlgSet algs) {
    const auto token = jose::parse_token(text);
    if (!token) return token.error();
    const auto verified = jose::verify_signature(*token, keys, algs);
    return verified ? Reason::kNone : verified.error();
}

Reason judge_jwt(const jose::KeySet& keys, std::string_view text, Seconds now,
                 crypto::AlgSet algs) {
    const auto token = jose::parse_token(text);
    if (!token) return token.error();
    const auto payload = jose::Document::parse(text_of(token->payload));
    if (!payload) return payload.error();
    jose::Issuer issuer;
    issuer.algorithms = algs;
    issuer.audience_off = true;
    const auto claims = jose::verify_jwt(*token, *payload, issuer, keys, now);
    return claims ? Reason::kNone : claims.error();
}

Reason judge_jws(std::string_view jwks, std::string_view token, crypto::AlgSet algs) {
    return with_keys(jwks, [&](const jose::KeySet& keys) { return judge_jws(keys, token, algs); });
}

Reason judge_jwt(std::string_view jwks, std::string_view token, Seconds now, crypto::AlgSet algs) {
    return with_keys(jwks,
                     [&](const jose::KeySet& keys) { return judge_jwt(keys, token, now, algs); });
}

}  // namespace gate::test
