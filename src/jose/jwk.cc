#include "jose/jwk.h"

#include <algorithm>
#include <array>

#include "base/base64url.h"

namespace gate::jose {

namespace {

using crypto::Family;
using crypto::KeyFault;
using crypto::KeyResult;
using crypto::VerificationKey;

Failure<KeyFault> bad(std::string_view detail) {
    return fail(KeyFault{crypto::KeyError::kBad, std::string(detail)});
}

KeyResult read_rsa(Value jwk) {
    const auto n = octets_member(jwk, "n");
    const auto e = octets_member(jwk, "e");
    if (!n || !e) return bad("\"n\" and \"e\" must be unpadded base64url");
    // RFC 7518 section 2, Base64urlUInt: the minimum number of octets.
    if (n->front() == 0 || e->front() == 0) return bad("\"n\" or \"e\" with leading zero octets");
    return VerificationKey::from_rsa(*n, *e);
}

KeyResult read_ec(Value jwk) {
    const auto curve = crypto::find_curve(jwk.member("crv").string().value_or(""));
    if (!curve) return bad("unknown \"crv\"");
    const auto x = octets_member(jwk, "x");
    const auto y = octets_member(jwk, "y");
    if (!x || !y) return bad("\"x\" and \"y\" must be unpadded base64url");
    return VerificationKey::from_ec(*curve, *x, *y);
}

KeyResult read_okp(Value jwk) {
    const auto curve = crypto::find_curve(jwk.member("crv").string().value_or(""));
    if (!curve) return bad("unknown \"crv\"");
    const auto x = octets_member(jwk, "x");
    if (!x) return bad("\"x\" must be unpadded base64url");
    return VerificationKey::from_okp(*curve, *x);
}

KeyResult read_oct(Value jwk) {
    const auto text = jwk.member("k").string();
    if (text && text->empty()) return fail(KeyFault{crypto::KeyError::kWeak, "empty HMAC secret"});
    auto octets = octets_member(jwk, "k");
    if (!octets) return bad("\"k\" must be unpadded base64url");
    const Secret secret(*octets);
    wipe(octets->data(), octets->size());
    if (is_publicly_known_secret(secret.bytes())) {
        return fail(KeyFault{crypto::KeyError::kWeak, "HMAC secret is publicly known"});
    }
    return VerificationKey::from_secret(secret.bytes());
}

KeyResult read_material(Value jwk) {
    const std::string_view kty = jwk.member("kty").string().value_or("");
    if (kty == name_of(Family::kRsa)) return read_rsa(jwk);
    if (kty == name_of(Family::kEc)) return read_ec(jwk);
    if (kty == name_of(Family::kOkp)) return read_okp(jwk);
    if (kty == name_of(Family::kOct)) return read_oct(jwk);
    return bad("unknown \"kty\"");
}

// Absent, or exactly "sig" (RFC 7517 section 4.2).
bool use_allows(Value use) {
    return !use.present() || use.string() == "sig";
}

// Absent, or an array of strings with "verify" in it (RFC 7517 section 4.3).
bool key_ops_allow(Value key_ops) {
    if (!key_ops.present()) return true;
    if (!key_ops.is(Value::Kind::kArray)) return false;
    const auto operations = key_ops.string_list();
    return operations && std::ranges::find(*operations, "verify") != operations->end();
}

bool has_private_members(Value jwk) {
    constexpr std::array<std::string_view, 7> kPrivate{"d", "p", "q", "dp", "dq", "qi", "oth"};
    return std::ranges::any_of(kPrivate, [jwk](auto name) { return jwk.member(name).present(); });
}

Reason reason_of(crypto::KeyError error) noexcept {
    return error == crypto::KeyError::kWeak ? Reason::kJwkWeak : Reason::kJwkBad;
}

// The algorithms that "alg" leaves of what the key can serve.
Result<crypto::AlgSet, SkippedKey> narrow(Value alg, const VerificationKey& key,
                                          const std::string& kid) {
    if (!alg.present()) return key.algs();
    const auto named = crypto::find_alg(alg.string().value_or(""));
    if (!named) return fail(SkippedKey{kid, Reason::kJwkBad, "\"alg\" is no JWS algorithm"});
    if (key.algs().contains(*named)) return crypto::AlgSet{*named};
    // Every HMAC algorithm fits every secret but for its length (RFC 7518 section 3.2).
    if (key.family() == Family::kOct && crypto::kHmacAlgs.contains(*named)) {
        return fail(SkippedKey{kid, Reason::kJwkWeak, "HMAC secret shorter than its hash"});
    }
    return fail(SkippedKey{kid, Reason::kJwkBad, "\"alg\" does not fit the key"});
}

}  // namespace

std::optional<ByteVector> octets_member(Value jwk, std::string_view name) {
    const auto text = jwk.member(name).string();
    if (!text || text->empty()) return std::nullopt;
    return base64url_decode(*text);
}

Result<PublicJwk, SkippedKey> read_jwk(Value jwk) {
    if (!jwk.is(Value::Kind::kObject)) {
        return fail(SkippedKey{"", Reason::kJwkBad, "a key must be an object"});
    }
    const Value kid_member = jwk.member("kid");
    const std::string kid(kid_member.string().value_or(""));
    // An empty kid would read as "no kid"; tokens that carry one are refused as well.
    if (kid_member.present() && kid.empty()) {
        return fail(SkippedKey{"", Reason::kJwkBad, "\"kid\" must be a string, not empty"});
    }
    if (!use_allows(jwk.member("use"))) {
        return fail(SkippedKey{kid, Reason::kJwkUse, "\"use\" is not \"sig\""});
    }
    if (!key_ops_allow(jwk.member("key_ops"))) {
        return fail(SkippedKey{kid, Reason::kJwkUse, "\"key_ops\" does not hold \"verify\""});
    }
    auto material = read_material(jwk);
    if (!material) {
        return fail(SkippedKey{kid, reason_of(material.error().error), material.error().detail});
    }
    const auto algs = narrow(jwk.member("alg"), **material, kid);
    if (!algs) return fail(algs.error());
    const bool extra = (*material)->family() != Family::kOct && has_private_members(jwk);
    return PublicJwk{SetKey{kid, *std::move(material), *algs}, extra};
}

}  // namespace gate::jose
