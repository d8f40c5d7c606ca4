#include "jose/jwk_text.h"

#include <vector>

#include "base/base64url.h"
#include "base/json_object.h"
#include "crypto/digest.h"

namespace gate::jose {

namespace {

void add_octets(JsonObject& jwk, std::string_view name, const ByteVector& octets) {
    if (!octets.empty()) jwk.text(name, base64url_encode(octets));
}

// The members that a thumbprint takes, in the order of their names (RFC 7638 section 3.2, RFC 8037
// section 2).
std::string required_members(const crypto::VerificationKey& key) {
    const crypto::PublicParameters parameters = key.public_parameters();
    JsonObject jwk;
    if (key.curve() != crypto::Curve::kNone) jwk.text("crv", name_of(key.curve()));
    add_octets(jwk, "e", parameters.e);
    jwk.text("kty", name_of(key.family()));
    add_octets(jwk, "n", parameters.n);
    add_octets(jwk, "x", parameters.x);
    add_octets(jwk, "y", parameters.y);
    return jwk.str();
}

std::string public_jwk(const SetKey& key, crypto::AlgSet algs) {
    const crypto::PublicParameters parameters = key.key->public_parameters();
    JsonObject jwk;
    jwk.text("kty", name_of(key.key->family()));
    if (!key.kid.empty()) jwk.text("kid", key.kid);
    jwk.text("use", "sig");
    if (algs.size() == 1) jwk.text("alg", algs.names());
    if (key.key->curve() != crypto::Curve::kNone) jwk.text("crv", name_of(key.key->curve()));
    add_octets(jwk, "n", parameters.n);
    add_octets(jwk, "e", parameters.e);
    add_octets(jwk, "x", parameters.x);
    add_octets(jwk, "y", parameters.y);
    return jwk.str();
}

}  // namespace

std::string thumbprint(const crypto::VerificationKey& key) {
    if (key.family() == crypto::Family::kOct) return {};
    return base64url_encode(crypto::sha256(bytes_of(required_members(key))));
}

std::string public_jwks(const KeySet& keys, crypto::AlgSet allowed) {
    std::vector<std::string> jwks;
    for (const SetKey& key : keys.keys()) {
        const crypto::AlgSet algs = key.algs & allowed;
        if (key.key->family() == crypto::Family::kOct || algs.empty()) continue;
        jwks.push_back(public_jwk(key, algs));
    }
    return JsonObject().raw("keys", json_array(jwks)).str();
}

}  // namespace gate::jose
