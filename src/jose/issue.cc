#include "jose/issue.h"

#include <algorithm>
#include <array>

#include "base/base64url.h"
#include "base/json_object.h"
#include "crypto/digest.h"
#include "jose/signer.h"

namespace gate::jose {

namespace {

using crypto::Alg;
using crypto::AlgSet;

// The first in the order of the standard's table.
Alg first_of(AlgSet algs) noexcept {
    unsigned index = 0;
    while (!algs.contains(static_cast<Alg>(index))) ++index;
    return static_cast<Alg>(index);
}

std::string header_text(const SetKey& key, Alg alg, std::string_view type) {
    JsonObject header;
    header.text("alg", info(alg).name).text("typ", type);
    if (!key.kid.empty()) header.text("kid", key.kid);
    return header.str();
}

void add_audience(JsonObject& claims, const Issuer& issuer) {
    if (issuer.audiences.size() == 1) claims.text("aud", issuer.audiences.front());
    if (issuer.audiences.size() > 1) claims.texts("aud", issuer.audiences);
}

struct Life {
    Seconds from;
    Seconds until;
};

std::optional<NewToken> issue(const KeySet& keys, const Issuer& issuer, const Grant& grant,
                              std::string_view type, std::string_view more, const Life& life) {
    const SetKey* const key = signing_key(keys, issuer);
    auto jti = random_identifier();
    if (key == nullptr || !jti) return std::nullopt;
    JsonObject claims;
    if (issuer.iss) claims.text("iss", *issuer.iss);
    claims.text("sub", grant.subject);
    add_audience(claims, issuer);
    claims.members(more);
    claims.number("iat", life.from).number("exp", life.until).text("jti", *jti);
    if (!grant.session.empty()) claims.text("sid", grant.session);
    const Alg alg = first_of(key->algs & issuer.algorithms);
    auto text = sign_compact(*key->signing, alg, header_text(*key, alg, type), claims.str());
    if (!text) return std::nullopt;
    return NewToken{*std::move(text), *std::move(jti), life.until};
}

}  // namespace

std::optional<std::string> random_identifier() {
    std::array<std::uint8_t, 16> octets;
    if (!crypto::random_bytes(octets)) return std::nullopt;
    return base64url_encode(octets);
}

const SetKey* signing_key(const KeySet& keys, const Issuer& issuer) noexcept {
    if (!issuer.signing) return nullptr;
    const auto found = std::ranges::find_if(keys.keys(), [&](const SetKey& key) {
        return key.signing != nullptr && !(key.algs & issuer.algorithms).empty() &&
               (issuer.signing->kid.empty() || key.kid == issuer.signing->kid);
    });
    return found == keys.keys().end() ? nullptr : &*found;
}

std::optional<NewToken> issue_access_token(const KeySet& keys, const Issuer& issuer,
                                           const Grant& grant, Seconds now) {
    const std::string_view type =
        issuer.types.empty() ? std::string_view("JWT") : std::string_view(issuer.types.front());
    JsonObject claims;
    claims.members(grant.claims);
    if (issuer.signing->tells_login) claims.number("auth_time", grant.session_began);
    return issue(keys, issuer, grant, type, claims.str(), {now, now + issuer.signing->access});
}

std::optional<NewToken> issue_refresh_token(const KeySet& keys, const Issuer& issuer,
                                            const Grant& grant, Seconds now, Seconds latest) {
    const std::string began = JsonObject().number("auth_time", grant.session_began).str();
    return issue(keys, issuer, grant, kRefreshType, began,
                 {now, std::min(now + issuer.signing->refresh, latest)});
}

Issuer refresh_rules(const Issuer& issuer) {
    Issuer rules = issuer;
    rules.types = {std::string(kRefreshType)};
    rules.max_lifetime = 0;
    rules.require_exp = true;
    rules.require_claims = {"sub", "jti", "sid", "auth_time"};
    rules.subject_claim = {"sub"};
    return rules;
}

}  // namespace gate::jose
