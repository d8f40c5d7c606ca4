#include "jose/jwk_text.h"

#include <vector>

#include "base/base64url.h"
#include "base/json_object.h"

namespace gate::jose {

namespace {

void add_octets(JsonObject& jwk, std::string_view name, const ByteVector& octets) {
    if (!octets.empty()) jwk.text(name, base64url_encode(octets));
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
