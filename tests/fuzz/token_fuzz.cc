// Compact tokens from parsing to judgement. The first line says what follows:
//   raw     a token as a client sends it, judged with public keys and one secret
//   claims  header, payload (a line each), signed here with the secret and judged then
// No raw token may pass but those that were signed with the keys; of a token that passes, every
// promise about its claims is checked again with other code.
#include <jansson.h>

#include <array>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "jose/jwt.h"
#include "jose/key_set.h"
#include "jose/signer.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/test_keys.h"

namespace {

using namespace gate;
using crypto::Alg;

constexpr Seconds kNow = 1800000000;
constexpr std::string_view kPayload =
    R"({"iss":"https://idp.test","aud":["orders"],"sub":"alice","exp":4102444800,"scope":"a b"})";

struct Signer {
    std::shared_ptr<crypto::SigningKey> key;
    Alg alg;
    std::string signing_input;
    std::string token;  // of an algorithm with one signature per text, else ""
};

Signer make_signer(std::string_view jwk, Alg alg, std::string_view kid, bool deterministic) {
    const auto document = jose::Document::parse(jwk);
    auto key = jose::read_signing_jwk(document->root());
    const std::string header = R"({"alg":")" + std::string(crypto::info(alg).name) +
                               R"(","kid":")" + std::string(kid) + R"("})";
    std::string token = *jose::sign_compact(**key, alg, header, kPayload);
    std::string signing_input = token.substr(0, token.rfind('.'));
    return {*key, alg, std::move(signing_input), deterministic ? std::move(token) : ""};
}

struct World {
    std::vector<Signer> signers{make_signer(gate::test::kRsaJwk, Alg::kRS256, "rsa", true),
                                make_signer(gate::test::kRsaJwk, Alg::kPS256, "rsa", false),
                                make_signer(gate::test::kEcJwk, Alg::kES256, "ec", false),
                                make_signer(gate::test::kEdJwk, Alg::kEdDSA, "ed", true),
                                make_signer(gate::test::kOctJwk, Alg::kHS256, "oct", true)};
    jose::KeySet asymmetric;
    jose::KeySet secret;
    jose::Issuer issuer;

    World() {
        for (const std::string_view jwk :
             {gate::test::kRsaJwk, gate::test::kEcJwk, gate::test::kEdJwk}) {
            GATE_INVARIANT(static_cast<bool>(asymmetric.add_jwks(jwk)));
        }
        GATE_INVARIANT(static_cast<bool>(secret.add_jwks(gate::test::kOctJwk)));
        issuer.iss = "https://idp.test";
        issuer.audiences = {"orders", "billing"};
        issuer.algorithms = crypto::AlgSet::all();
        issuer.types = {"at+jwt", "JWT"};
        issuer.max_lifetime = 1000000000;
        issuer.require_claims = {"sub", "a.b"};
    }
};

void check_raw(const World& world, std::string_view text) {
    const auto token = jose::parse_token(text);
    if (!token) {
        GATE_INVARIANT(refusal_class(token.error()) == RefusalClass::kInvalidToken);
        return;
    }
    for (const jose::KeySet* keys : {&world.asymmetric, &world.secret}) {
        if (!jose::verify_signature(*token, *keys, crypto::AlgSet::all())) continue;
        bool known = false;
        for (const Signer& signer : world.signers) {
            known = known || (token->header.alg == signer.alg &&
                              token->signing_input == signer.signing_input &&
                              (signer.token.empty() || signer.token == text));
        }
        GATE_INVARIANT(known);
        GATE_INVARIANT(!jose::verify_signature(*token, *keys, crypto::AlgSet{Alg::kRS512}));
    }
}

using JsonPtr = std::unique_ptr<json_t, void (*)(json_t*)>;

JsonPtr load(std::string_view text) {
    return {json_loadb(text.data(), text.size(), JSON_ALLOW_NUL, nullptr),
            [](json_t* json) { json_decref(json); }};
}

bool is_text(const json_t* json, std::string_view text) {
    return json_is_string(json) &&
           text == std::string_view(json_string_value(json), json_string_length(json));
}

bool names_audience(const json_t* aud) {
    if (json_is_string(aud)) return is_text(aud, "orders") || is_text(aud, "billing");
    bool found = false;
    for (std::size_t i = 0; i < json_array_size(aud); ++i) {
        const json_t* one = json_array_get(aud, i);
        GATE_INVARIANT(json_is_string(one));
        found = found || is_text(one, "orders") || is_text(one, "billing");
    }
    return found;
}

// A date of a payload that passed: absent, or a number within 0 .. 2^53.
double date_of(const json_t* payload, const char* name, double otherwise) {
    const json_t* claim = json_object_get(payload, name);
    if (claim == nullptr) return otherwise;
    GATE_INVARIANT(json_is_number(claim));
    const double date = json_number_value(claim);
    GATE_INVARIANT(date >= 0 && date <= 9007199254740992.0);
    return date;
}

void check_promises(const jose::Claims& claims, std::string_view payload_text,
                    const jose::Issuer& issuer) {
    const JsonPtr payload = load(payload_text);
    GATE_INVARIANT(json_is_object(payload.get()));
    const double exp = date_of(payload.get(), "exp", -1);
    GATE_INVARIANT(static_cast<double>(kNow) < exp);
    GATE_INVARIANT(date_of(payload.get(), "nbf", 0) <= static_cast<double>(kNow + 10));
    const double iat = date_of(payload.get(), "iat", -1);
    GATE_INVARIANT(iat >= 0 && iat <= static_cast<double>(kNow + 10));
    GATE_INVARIANT(exp - iat <= static_cast<double>(issuer.max_lifetime));
    GATE_INVARIANT(claims.expires == static_cast<Seconds>(std::floor(exp)));
    GATE_INVARIANT(is_text(json_object_get(payload.get(), "iss"), *issuer.iss));
    GATE_INVARIANT(names_audience(json_object_get(payload.get(), "aud")));
    const json_t* sub = json_object_get(payload.get(), "sub");
    GATE_INVARIANT(is_text(sub, claims.subject) || json_is_integer(sub));
    for (const std::string_view scope : claims.scopes) {
        GATE_INVARIANT(!scope.empty());
        GATE_INVARIANT(!json_is_string(json_object_get(payload.get(), "scope")) ||
                       scope.find(' ') == std::string_view::npos);
    }
    const json_t* roles = json_object_get(payload.get(), "roles");
    if (roles != nullptr && !json_is_string(roles) && !json_is_array(roles)) {
        GATE_INVARIANT(claims.roles.empty());
    }
}

void check_claims(const World& world, std::string_view header, std::string_view payload_text) {
    const Signer& signer = world.signers.back();
    const auto text = jose::sign_compact(*signer.key, Alg::kHS256, header, payload_text);
    GATE_INVARIANT(text.has_value());
    const auto token = jose::parse_token(*text);
    if (!token) return;
    const auto payload = jose::Document::parse(payload_text);
    if (!payload) return;
    const auto times = jose::check_times(*payload, world.issuer, kNow);
    const auto claims = jose::verify_jwt(*token, *payload, world.issuer, world.secret, kNow);
    if (!claims) {
        GATE_INVARIANT(refusal_class(claims.error()) == RefusalClass::kInvalidToken);
        return;
    }
    GATE_INVARIANT(static_cast<bool>(times));
    GATE_INVARIANT(token->header.alg == Alg::kHS256);
    GATE_INVARIANT(!token->header.kid || token->header.kid == "oct");
    const JsonPtr json = load(header);
    const json_t* typ = json_object_get(json.get(), "typ");
    GATE_INVARIANT(json_is_string(typ));
    check_promises(*claims, payload_text, world.issuer);
    // What passes now has not passed at its end, whatever the leeways.
    GATE_INVARIANT(
        !jose::verify_jwt(*token, *payload, world.issuer, world.secret, *claims->expires + 1));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const World* const world = new World;
    gate::fuzz::Input input(data, size);
    if (input.line() == "claims") {
        const std::string_view header = input.line();
        check_claims(*world, header, input.rest());
    } else {
        check_raw(*world, input.rest());
    }
    return 0;
}
