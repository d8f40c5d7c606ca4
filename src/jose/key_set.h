// The keys of one issuer, from JWKS documents (RFC 7517), PEM, X.509 and secrets. Immutable once
// built; a broken key is left out and remembered with its reason, a broken document is refused
// whole.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/reason.h"
#include "base/result.h"
#include "crypto/alg.h"
#include "crypto/public_key.h"
#include "crypto/sign.h"
#include "jose/json.h"

namespace gate::jose {

struct SetKey {
    std::string kid;  // empty: the key has none
    std::shared_ptr<const crypto::VerificationKey> key;
    crypto::AlgSet algs;  // narrowed by "alg" where that was given
    // Makes signatures that `key` verifies; nullptr: nobody here can.
    std::shared_ptr<const crypto::SigningKey> signing = nullptr;
};

// A key that is not used. `detail` is for people: "RSA modulus of 1024 bits".
struct SkippedKey {
    std::string kid;
    Reason reason;
    std::string detail;
};

struct LoadError {
    Reason reason;  // kJwksBad for the document, or the reason of the one key given
    std::string detail;
};

// Where a document came from decides what it may hold: a fetched one never brings secrets.
enum class JwksOrigin : std::uint8_t { kFile, kUrl };

// What the keys of a set are for: to verify, or to sign too.
enum class KeyUse : std::uint8_t { kVerify, kSign };

class KeySet {
public:
    // Adds the keys of a JWKS ({"keys":[..]}); a bare JWK counts as a set of one. kJwksBad: not
    // strict JSON, no "keys" array, no usable key in it (a document of one key: that key's reason),
    // two keys with one kid, secrets beside asymmetric keys. Keys with an unknown kty, wrong "use"
    // or "key_ops", or weak ones are skipped. An error leaves the set as it was.
    Status<LoadError> add_jwks(std::string_view json, JwksOrigin origin = JwksOrigin::kFile);

    // One PEM or X.509 public key. `algs` narrows what it may serve; empty leaves all it can. With
    // kSign it may be a private key too, and a key without `kid` gets its thumbprint (RFC 7638).
    Status<LoadError> add_pem(std::string_view pem, std::string_view kid, crypto::AlgSet algs,
                              KeyUse use = KeyUse::kVerify);

    // One HMAC secret. kJwkWeak: shorter than its algorithms need, or publicly known.
    Status<LoadError> add_secret(Bytes secret, std::string_view kid, crypto::AlgSet algs,
                                 KeyUse use = KeyUse::kVerify);

    const std::vector<SetKey>& keys() const noexcept { return keys_; }
    const std::vector<SkippedKey>& skipped() const noexcept { return skipped_; }

    // Keys that are used although their document tells a secret that it should not hold: private
    // members (ignored). One text for people per key.
    const std::vector<std::string>& warnings() const noexcept { return warnings_; }

    crypto::AlgSet algs() const noexcept;

    // Why the key of that kid was left out; nullptr where none was.
    const SkippedKey* find_skipped(std::string_view kid) const noexcept;

    // The key of that kid, or nullptr. Without match the keys that have no kid remain candidates.
    const SetKey* find(std::string_view kid) const noexcept;

private:
    Status<LoadError> check_kid(const std::string& kid) const;
    Status<LoadError> add(SetKey key);
    Status<LoadError> add_narrowed(SetKey key, crypto::AlgSet algs);
    Status<LoadError> take_jwk(Value jwk);

    std::vector<SetKey> keys_;
    std::vector<SkippedKey> skipped_;
    std::vector<std::string> warnings_;
};

// True for a secret that is on public lists of leaked or default JWT secrets.
bool is_publicly_known_secret(Bytes secret);

}  // namespace gate::jose
