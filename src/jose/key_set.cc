#include "jose/key_set.h"

#include <algorithm>

#include "jose/jwk.h"
#include "jose/jwk_text.h"

namespace gate::jose {

namespace {

using crypto::Family;
using crypto::SigningKey;
using crypto::VerificationKey;

Failure<LoadError> load_error(Reason reason, std::string detail) {
    return fail(LoadError{reason, std::move(detail)});
}

Failure<LoadError> load_error(const crypto::KeyFault& fault) {
    const bool weak = fault.error == crypto::KeyError::kWeak;
    return load_error(weak ? Reason::kJwkWeak : Reason::kJwkBad, fault.detail);
}

bool is_secret(const SetKey& key) {
    return key.key->family() == Family::kOct;
}

// The keys of a document: the elements of "keys", or the document itself as the only one.
Result<std::vector<Value>, LoadError> keys_of(Value root) {
    const Value keys = root.member("keys");
    if (!keys.present() && root.member("kty").present()) return std::vector<Value>{root};
    if (!keys.is(Value::Kind::kArray)) {
        return load_error(Reason::kJwksBad, "no \"keys\" array");
    }
    std::vector<Value> list;
    list.reserve(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) list.push_back(keys.at(i));
    return list;
}

std::string quoted_kid(const std::string& kid) {
    return kid.empty() ? "a key without kid" : "key \"" + log_escaped(kid, 64) + "\"";
}

}  // namespace

Status<LoadError> KeySet::check_kid(const std::string& kid) const {
    if (kid.empty()) return Done{};
    // A broken key counts: which of the two its issuer means by the kid nobody can tell. A key that
    // is not for signatures does not: no token can mean it.
    const auto clashes = [&kid](const SkippedKey& skipped) {
        return skipped.kid == kid && skipped.reason != Reason::kJwkUse;
    };
    if (find(kid) == nullptr && std::ranges::none_of(skipped_, clashes)) return Done{};
    return load_error(Reason::kJwksBad, "two keys with the kid \"" + log_escaped(kid, 64) + '"');
}

Status<LoadError> KeySet::add(SetKey key) {
    if (!keys_.empty() && is_secret(keys_.front()) != is_secret(key)) {
        return load_error(Reason::kJwksBad, "secrets and asymmetric keys in one set");
    }
    if (const auto unique = check_kid(key.kid); !unique) return unique;
    keys_.push_back(std::move(key));
    return Done{};
}

Status<LoadError> KeySet::take_jwk(Value jwk) {
    auto parsed = read_jwk(jwk);
    if (!parsed) {
        const auto unique = parsed.error().reason == Reason::kJwkUse
                                ? Status<LoadError>(Done{})
                                : check_kid(parsed.error().kid);
        skipped_.push_back(parsed.error());
        return unique;
    }
    if (parsed->has_private_members) {
        warnings_.push_back(quoted_kid(parsed->key.kid) +
                            " carries private members; they are ignored");
    }
    return add(std::move(parsed->key));
}

Status<LoadError> KeySet::add_jwks(std::string_view json, JwksOrigin origin) {
    const auto document = Document::parse(json);
    if (!document) {
        return load_error(Reason::kJwksBad,
                          "not strict JSON: " + std::string(code(document.error())));
    }
    const auto jwks = keys_of(document->root());
    if (!jwks) return fail(jwks.error());

    KeySet next(*this);
    for (const Value jwk : *jwks) {
        if (const auto taken = next.take_jwk(jwk); !taken) return fail(taken.error());
    }
    if (next.keys_.size() == keys_.size()) {
        if (jwks->empty()) return load_error(Reason::kJwksBad, "no key in it");
        const SkippedKey& first = next.skipped_[skipped_.size()];
        if (jwks->size() == 1) return load_error(first.reason, first.detail);
        return load_error(Reason::kJwksBad, "no usable key; the first: " + first.detail);
    }
    // Secrets stand alone in a set, so one look tells for all.
    if (origin == JwksOrigin::kUrl && is_secret(next.keys_.back())) {
        return load_error(Reason::kJwksBad, "a secret in a fetched document");
    }
    *this = std::move(next);
    return Done{};
}

Status<LoadError> KeySet::add_narrowed(SetKey key, crypto::AlgSet algs) {
    key.algs = key.key->algs();
    if (!algs.empty()) key.algs = key.algs & algs;
    if (key.algs.empty()) {
        return load_error(Reason::kJwkBad, "no algorithm of \"" + algs.names() +
                                               "\" fits a key of type " +
                                               std::string(name_of(key.key->family())));
    }
    return add(std::move(key));
}

Status<LoadError> KeySet::add_pem(std::string_view pem, std::string_view kid, crypto::AlgSet algs,
                                  KeyUse use) {
    SetKey added{.kid = std::string(kid), .key = nullptr, .algs = {}};
    if (use == KeyUse::kSign && pem.find("PRIVATE KEY-----") != std::string_view::npos) {
        auto pair = SigningKey::from_pem(pem);
        if (!pair) return load_error(pair.error());
        added.key = (*pair)->verification_key();
        added.signing = *std::move(pair);
    } else {
        auto key = VerificationKey::from_pem(pem);
        if (!key) return load_error(key.error());
        added.key = *std::move(key);
    }
    if (use == KeyUse::kSign && kid.empty()) added.kid = thumbprint(*added.key);
    return add_narrowed(std::move(added), algs);
}

Status<LoadError> KeySet::add_secret(Bytes secret, std::string_view kid, crypto::AlgSet algs,
                                     KeyUse use) {
    if (is_publicly_known_secret(secret)) {
        return load_error(Reason::kJwkWeak, "HMAC secret is publicly known");
    }
    auto key = VerificationKey::from_secret(secret);
    if (!key) return load_error(key.error());
    const crypto::AlgSet wanted = algs & crypto::kHmacAlgs;
    if ((wanted & (*key)->algs()) != wanted) {
        return load_error(Reason::kJwkWeak, "HMAC secret of " + std::to_string(secret.size()) +
                                                " octets is shorter than " + wanted.names() +
                                                " needs");
    }
    SetKey added{.kid = std::string(kid), .key = *std::move(key), .algs = {}};
    if (use == KeyUse::kSign) {
        auto signing = SigningKey::from_secret(secret);
        if (!signing) return load_error(signing.error());
        added.signing = *std::move(signing);
    }
    return add_narrowed(std::move(added), algs);
}

crypto::AlgSet KeySet::algs() const noexcept {
    crypto::AlgSet all;
    for (const SetKey& key : keys_) all = all | key.algs;
    return all;
}

const SetKey* KeySet::find(std::string_view kid) const noexcept {
    const auto found = std::ranges::find(keys_, kid, &SetKey::kid);
    return kid.empty() || found == keys_.end() ? nullptr : &*found;
}

const SkippedKey* KeySet::find_skipped(std::string_view kid) const noexcept {
    const auto found = std::ranges::find(skipped_, kid, &SkippedKey::kid);
    return kid.empty() || found == skipped_.end() ? nullptr : &*found;
}

}  // namespace gate::jose
