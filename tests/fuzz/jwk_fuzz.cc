// JWK and JWKS documents. The first line is "file" or "url" for a document, "pem" for one PEM key.
// Whatever a set takes in must be fit by the rules of RFC 7517 and 7518 as this file reads them.
#include <jansson.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>

#include "base/base64url.h"
#include "jose/jwk.h"
#include "jose/key_set.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/test_keys.h"

namespace {

using namespace gate;
using crypto::Alg;
using crypto::Family;

// The algorithms that a key of this family, curve and size may serve at most.
bool may_serve(const crypto::VerificationKey& key, Alg alg) {
    const crypto::AlgInfo& entry = crypto::info(alg);
    if (entry.family != key.family()) return false;
    if (entry.curve != crypto::Curve::kNone && entry.curve != key.curve()) return false;
    return entry.family != Family::kOct || key.bits() >= entry.min_secret * 8;
}

void check_key(const jose::SetKey& key) {
    GATE_INVARIANT(key.key != nullptr && !key.algs.empty());
    GATE_INVARIANT((key.algs & key.key->algs()) == key.algs);
    for (std::size_t i = 0; i < crypto::kAlgCount; ++i) {
        const Alg alg = static_cast<Alg>(i);
        if (!key.key->algs().contains(alg)) {
            GATE_INVARIANT(!key.key->verify(alg, {}, {}));
            continue;
        }
        GATE_INVARIANT(may_serve(*key.key, alg));
    }
    if (key.key->family() == Family::kRsa) {
        GATE_INVARIANT(key.key->bits() >= 2048 && key.key->bits() <= 8192);
    }
    if (key.key->family() == Family::kOct) GATE_INVARIANT(key.key->bits() >= 256);
}

void check_set(const jose::KeySet& set) {
    std::set<std::string> kids;
    bool secrets = false;
    bool public_keys = false;
    for (const jose::SetKey& key : set.keys()) {
        check_key(key);
        if (!key.kid.empty()) {
            GATE_INVARIANT(kids.insert(key.kid).second);
            GATE_INVARIANT(set.find(key.kid) == &key);
        }
        (key.key->family() == Family::kOct ? secrets : public_keys) = true;
    }
    GATE_INVARIANT(!(secrets && public_keys));
    GATE_INVARIANT(set.find("") == nullptr && set.find_skipped("") == nullptr);
}

// What one JWK says about its use, read by jansson alone.
bool may_verify(const json_t* jwk) {
    const json_t* use = json_object_get(jwk, "use");
    if (use != nullptr && (!json_is_string(use) || json_string_length(use) != 3 ||
                           std::string_view(json_string_value(use)) != "sig")) {
        return false;
    }
    const json_t* key_ops = json_object_get(jwk, "key_ops");
    if (key_ops == nullptr) return true;
    for (std::size_t i = 0; i < json_array_size(key_ops); ++i) {
        const json_t* one = json_array_get(key_ops, i);
        if (json_is_string(one) && std::string_view(json_string_value(one)) == "verify")
            return true;
    }
    return false;
}

// Every octet member of a usable key has one spelling.
bool is_spelled_once(const json_t* jwk, const char* name) {
    const json_t* member = json_object_get(jwk, name);
    if (!json_is_string(member)) return false;
    const std::string_view text(json_string_value(member), json_string_length(member));
    const auto octets = base64url_decode(text);
    return octets && !octets->empty() && base64url_encode(*octets) == text;
}

void check_usable(const json_t* jwk, const jose::PublicJwk& parsed) {
    GATE_INVARIANT(may_verify(jwk));
    switch (parsed.key.key->family()) {
        case Family::kOct:
            GATE_INVARIANT(is_spelled_once(jwk, "k"));
            break;
        case Family::kRsa:
            GATE_INVARIANT(is_spelled_once(jwk, "n") && is_spelled_once(jwk, "e"));
            break;
        case Family::kEc:
            GATE_INVARIANT(is_spelled_once(jwk, "x") && is_spelled_once(jwk, "y"));
            break;
        case Family::kOkp:
            GATE_INVARIANT(is_spelled_once(jwk, "x"));
            break;
    }
    const json_t* alg = json_object_get(jwk, "alg");
    if (alg == nullptr) return;
    GATE_INVARIANT(json_is_string(alg));
    GATE_INVARIANT(parsed.key.algs.names() == json_string_value(alg));
}

void check_each(std::string_view text) {
    const auto document = jose::Document::parse(text);
    if (!document) return;
    const jose::Value keys = document->root().member("keys");
    const std::unique_ptr<json_t, void (*)(json_t*)> root(
        json_loadb(text.data(), text.size(), JSON_ALLOW_NUL, nullptr),
        [](json_t* json) { json_decref(json); });
    if (!keys.present()) {
        if (const auto parsed = jose::read_jwk(document->root())) check_usable(root.get(), *parsed);
        return;
    }
    const json_t* list = json_object_get(root.get(), "keys");
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const auto parsed = jose::read_jwk(keys.at(i));
        if (parsed) check_usable(json_array_get(list, i), *parsed);
    }
}

void check_jwks(std::string_view text, jose::JwksOrigin origin) {
    jose::KeySet set;
    const auto added = set.add_jwks(text, origin);
    GATE_INVARIANT(static_cast<bool>(added) == !set.keys().empty());
    check_set(set);
    check_each(text);
    if (!added) {
        GATE_INVARIANT(!added.error().detail.empty() && added.error().reason != Reason::kNone);
        return;
    }
    if (origin == jose::JwksOrigin::kUrl) {
        GATE_INVARIANT(set.keys().front().key->family() != Family::kOct);
    }
    // The same kids may not come twice, and a refusal leaves the set alone.
    const std::size_t before = set.keys().size();
    const bool has_kid =
        std::ranges::any_of(set.keys(), [](const jose::SetKey& key) { return !key.kid.empty(); });
    if (has_kid) {
        GATE_INVARIANT(!set.add_jwks(text, origin));
        GATE_INVARIANT(set.keys().size() == before);
    }
    jose::KeySet mixed;
    GATE_INVARIANT(static_cast<bool>(mixed.add_jwks(gate::test::kOctJwk)));
    if (set.keys().front().key->family() != Family::kOct) {
        GATE_INVARIANT(!mixed.add_jwks(text, origin) && mixed.keys().size() == 1);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    gate::fuzz::Input input(data, size);
    const std::string_view how = input.line();
    if (how == "pem") {
        jose::KeySet set;
        const auto added = set.add_pem(input.rest(), "k", {});
        GATE_INVARIANT(static_cast<bool>(added) == (set.keys().size() == 1));
        check_set(set);
    } else {
        check_jwks(input.rest(), how == "url" ? jose::JwksOrigin::kUrl : jose::JwksOrigin::kFile);
    }
    return 0;
}
