// A JWT (RFC 7519) judged against its issuer: cheap checks first, then the signature, then the
// rest.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/reason.h"
#include "base/result.h"
#include "base/time.h"
#include "jose/issuer.h"
#include "jose/json.h"
#include "jose/key_set.h"
#include "jose/token.h"

namespace gate::jose {

// The claims of a token whose signature and claims are good. Views point into `payload`.
struct Claims {
    Document payload;
    std::string subject;  // decimal form of an integer "sub"; empty when absent
    std::string_view issuer;
    std::string_view client;
    std::vector<std::string_view> scopes;
    std::vector<std::string_view> roles;
    std::vector<std::string_view> groups;
    std::optional<Seconds> expires;  // exp rounded down; nullopt: none, require_exp off
    std::optional<Seconds> issued;   // iat rounded down
    std::string_view jti;
    std::string session;  // "sid", as `subject`
    // By exp, nbf, iat and the issuer's leeways: good from the first second until before the other.
    Seconds valid_from = 0;
    std::optional<Seconds> valid_until;
};

// Whether "typ" says the same in both: a media type, in any case, whose "application/" may be left
// out (RFC 7515 section 4.1.9).
bool is_same_type(std::string_view typ, std::string_view other) noexcept;

// "iss" of a payload, without trusting it: absent is nullopt, another type is kClaimType.
Result<std::optional<std::string_view>, Reason> issuer_of(const Document& payload);

// RFC 7515 section 5.2: picks the key (by kid; else every key that can serve the algorithm, in
// order) and verifies. kAlgNotAllowed, kAlgKeyMismatch, kKidUnknown, kSigBad, or the reason for
// which the set skipped the key of that kid.
Status<Reason> verify_signature(const Token& token, const KeySet& keys, crypto::AlgSet allowed);

// What verify_jwt says of exp, nbf and iat, for those who tell its checks apart.
Status<Reason> check_times(const Document& payload, const Issuer& issuer, Seconds now);

// The whole judgement of a parsed token: algorithm allowed, exp/nbf/iat (RFC 7519 section 4.1),
// signature, then iss, aud, typ, required claims, and the identity claims. `payload` is the parsed
// token.payload.
Result<Claims, Reason> verify_jwt(const Token& token, const Document& payload, const Issuer& issuer,
                                  const KeySet& keys, Seconds now);

// The identity claims of a payload, as verify_jwt gives them, for one whose token was verified
// before.
Result<Claims, Reason> read_claims(const Document& payload, const Issuer& issuer);

// scope as one string split at single spaces (RFC 6749 section 3.3) or as an array of strings;
// roles and groups from a string or an array. Any other type gives an empty list: it never
// satisfies.
enum class ListForm : std::uint8_t { kSpaceSeparated, kPlain };
std::vector<std::string_view> claim_list(Value claims, const ClaimNames& names, ListForm form);

}  // namespace gate::jose
