#include "jose/jwt.h"

#include <algorithm>
#include <cmath>

#include "base/ascii.h"

namespace gate::jose {

namespace {

// A NumericDate (RFC 7519 section 2): nullopt when absent. Every whole number up to 2^53 is exact
// as a double, so comparisons need no conversion that could overflow. 2^53 + 1 must not round into
// range.
Result<std::optional<double>, Reason> numeric_date(Value claim) {
    if (!claim.present()) return std::optional<double>();
    if (const auto whole = claim.integer()) {
        if (*whole < 0 || *whole > kMaxNumericDate) return fail(Reason::kClaimRange);
        return std::optional<double>(static_cast<double>(*whole));
    }
    const auto real = claim.number();
    if (!real) return fail(Reason::kClaimType);
    // Negated, so that a NaN would be refused as well.
    if (!(*real >= 0 && *real <= static_cast<double>(kMaxNumericDate))) {
        return fail(Reason::kClaimRange);
    }
    return std::optional<double>(*real);
}

struct Times {
    std::optional<double> exp;
    std::optional<double> nbf;
    std::optional<double> iat;
};

Result<Times, Reason> read_times(Value claims) {
    const auto exp = numeric_date(claims.member("exp"));
    if (!exp) return fail(exp.error());
    const auto nbf = numeric_date(claims.member("nbf"));
    if (!nbf) return fail(nbf.error());
    const auto iat = numeric_date(claims.member("iat"));
    if (!iat) return fail(iat.error());
    return Times{*exp, *nbf, *iat};
}

Status<Reason> judge_times(const Times& times, const Issuer& issuer, Seconds now) {
    if (!times.exp && issuer.require_exp) return fail(Reason::kExpMissing);
    const auto clock = static_cast<double>(now);
    if (times.exp && clock >= *times.exp + static_cast<double>(issuer.leeway_exp)) {
        return fail(Reason::kExpPast);
    }
    if (times.nbf && *times.nbf > clock + static_cast<double>(issuer.leeway_nbf)) {
        return fail(Reason::kNbfFuture);
    }
    if (times.iat && *times.iat > clock + static_cast<double>(issuer.leeway_iat)) {
        return fail(Reason::kIatFuture);
    }
    return Done{};
}

// A limit on the life of a token cannot be shown to hold without both ends of it.
Status<Reason> check_lifetime(const Times& times, const Issuer& issuer) {
    if (issuer.max_lifetime == 0) return Done{};
    if (!times.exp) return fail(Reason::kExpMissing);
    if (!times.iat) return fail(Reason::kClaimMissing);
    if (*times.exp - *times.iat > static_cast<double>(issuer.max_lifetime)) {
        return fail(Reason::kLifetime);
    }
    return Done{};
}

// Exact octets; "aud" is a string or an array of strings, nothing else (RFC 7519 section 4.1.3).
Status<Reason> check_audience(Value aud, const Issuer& issuer) {
    const auto named = aud.string_list();
    if (aud.present() && !named) return fail(Reason::kClaimType);
    if (issuer.audience_off) return Done{};
    if (!named) return fail(Reason::kAudMismatch);
    const bool meant = std::ranges::any_of(issuer.audiences, [&named](const std::string& wanted) {
        return std::ranges::find(*named, wanted) != named->end();
    });
    if (!meant) return fail(Reason::kAudMismatch);
    return Done{};
}

// Without the "application/" that may be left out (RFC 7515 section 4.1.9).
std::string_view media_type(std::string_view typ) noexcept {
    constexpr std::string_view kPrefix = "application/";
    if (equal_ignoring_case(typ.substr(0, kPrefix.size()), kPrefix)) {
        typ.remove_prefix(kPrefix.size());
    }
    return typ;
}

// A refresh token is good for nothing but more tokens: it counts only where it is asked for.
Status<Reason> check_type(const std::optional<std::string_view>& typ, const Issuer& issuer) {
    if (issuer.types.empty()) {
        if (typ && is_same_type(*typ, kRefreshType)) return fail(Reason::kTypBad);
        return Done{};
    }
    const bool allowed = typ && std::ranges::any_of(issuer.types, [&typ](const std::string& type) {
                             return is_same_type(*typ, type);
                         });
    if (!allowed) return fail(Reason::kTypBad);
    return Done{};
}

Status<Reason> check_required(Value claims, const Issuer& issuer) {
    for (const std::string& name : issuer.require_claims) {
        const Value claim = claims.find(name);
        if (!claim.present() || claim.is(Value::Kind::kNull)) return fail(Reason::kClaimMissing);
    }
    return Done{};
}

// The first claim of the list that is present, or an absent value.
Value first_present(Value claims, const ClaimNames& names) {
    for (const std::string& name : names) {
        if (const Value claim = claims.find(name); claim.present()) return claim;
    }
    return Value();
}

// A claim that names somebody: a string, or an integer in its decimal form; absent is "".
Result<std::string, Reason> identity_text(Value claim) {
    if (!claim.present()) return std::string();
    if (const auto text = claim.string()) return std::string(*text);
    if (const auto number = claim.integer()) return std::to_string(*number);
    return fail(Reason::kClaimType);
}

bool absent_or_string(Value claim) {
    return !claim.present() || claim.string().has_value();
}

// The seconds between which judge_times() is content.
void set_life(Claims& claims, const Times& times, const Issuer& issuer) {
    const auto first = [](double instant, Seconds leeway) {
        return static_cast<Seconds>(std::ceil(instant - static_cast<double>(leeway)));
    };
    if (times.nbf) claims.valid_from = first(*times.nbf, issuer.leeway_nbf);
    if (times.iat) {
        claims.valid_from = std::max(claims.valid_from, first(*times.iat, issuer.leeway_iat));
    }
    if (times.exp) claims.valid_until = first(*times.exp, -issuer.leeway_exp);
}

Result<Claims, Reason> claims_of(const Document& payload, const Issuer& issuer,
                                 const Times& times) {
    const Value root = payload.root();
    if (const auto sub = identity_text(root.member("sub")); !sub) return fail(sub.error());
    auto subject = identity_text(first_present(root, issuer.subject_claim));
    if (!subject) return fail(subject.error());
    const Value client = first_present(root, issuer.client_claim);
    if (!absent_or_string(client) || !absent_or_string(root.member("jti"))) {
        return fail(Reason::kClaimType);
    }
    auto session = identity_text(root.member("sid"));
    if (!session) return fail(session.error());
    Claims claims;
    claims.payload = payload;
    claims.subject = *std::move(subject);
    claims.issuer = root.member("iss").string().value_or("");
    claims.client = client.string().value_or("");
    claims.scopes = claim_list(root, issuer.scope_claim, ListForm::kSpaceSeparated);
    claims.roles = claim_list(root, issuer.role_claim, ListForm::kPlain);
    claims.groups = claim_list(root, issuer.group_claim, ListForm::kPlain);
    if (times.exp) claims.expires = static_cast<Seconds>(std::floor(*times.exp));
    if (times.iat) claims.issued = static_cast<Seconds>(std::floor(*times.iat));
    claims.jti = root.member("jti").string().value_or("");
    claims.session = *std::move(session);
    set_life(claims, times, issuer);
    return claims;
}

bool verifies(const SetKey& key, const Token& token) {
    return key.key->verify(token.header.alg, bytes_of(token.signing_input), token.signature);
}

Status<Reason> verified(bool good) {
    if (!good) return fail(Reason::kSigBad);
    return Done{};
}

std::vector<std::string_view> split_at_spaces(std::string_view text) {
    std::vector<std::string_view> words;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        if (end != 0) words.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return words;
}

}  // namespace

bool is_same_type(std::string_view typ, std::string_view other) noexcept {
    return equal_ignoring_case(media_type(typ), media_type(other));
}

Result<std::optional<std::string_view>, Reason> issuer_of(const Document& payload) {
    const Value iss = payload.root().member("iss");
    if (!absent_or_string(iss)) return fail(Reason::kClaimType);
    return iss.string();
}

Status<Reason> verify_signature(const Token& token, const KeySet& keys, crypto::AlgSet allowed) {
    if (!allowed.contains(token.header.alg)) return fail(Reason::kAlgNotAllowed);
    if (keys.keys().empty()) return fail(Reason::kJwksUnavailable);
    if (token.header.kid) {
        if (const SetKey* named = keys.find(*token.header.kid)) {
            if (!named->algs.contains(token.header.alg)) return fail(Reason::kAlgKeyMismatch);
            return verified(verifies(*named, token));
        }
        if (const SkippedKey* skipped = keys.find_skipped(*token.header.kid)) {
            return fail(skipped->reason);
        }
    }
    bool candidate = false;
    bool fitting = false;
    for (const SetKey& key : keys.keys()) {
        if (token.header.kid && !key.kid.empty()) continue;
        candidate = true;
        if (!key.algs.contains(token.header.alg)) continue;
        fitting = true;
        if (verifies(key, token)) return Done{};
    }
    if (fitting) return fail(Reason::kSigBad);
    return fail(candidate ? Reason::kAlgKeyMismatch : Reason::kKidUnknown);
}

Status<Reason> check_times(const Document& payload, const Issuer& issuer, Seconds now) {
    const auto times = read_times(payload.root());
    if (!times) return fail(times.error());
    return judge_times(*times, issuer, now);
}

Result<Claims, Reason> verify_jwt(const Token& token, const Document& payload, const Issuer& issuer,
                                  const KeySet& keys, Seconds now) {
    if (!issuer.algorithms.contains(token.header.alg)) return fail(Reason::kAlgNotAllowed);
    const Value root = payload.root();
    const auto times = read_times(root);
    if (!times) return fail(times.error());
    if (const auto timely = judge_times(*times, issuer, now); !timely) return fail(timely.error());
    if (const auto good = verify_signature(token, keys, issuer.algorithms); !good) {
        return fail(good.error());
    }

    const auto iss = issuer_of(payload);
    if (!iss) return fail(iss.error());
    if (issuer.iss && *iss != *issuer.iss) return fail(Reason::kIssMismatch);
    if (const auto aud = check_audience(root.member("aud"), issuer); !aud) return fail(aud.error());
    if (const auto typ = check_type(token.header.typ, issuer); !typ) return fail(typ.error());
    if (const auto all = check_required(root, issuer); !all) return fail(all.error());
    if (const auto life = check_lifetime(*times, issuer); !life) return fail(life.error());
    return claims_of(payload, issuer, *times);
}

Result<Claims, Reason> read_claims(const Document& payload, const Issuer& issuer) {
    const auto times = read_times(payload.root());
    if (!times) return fail(times.error());
    return claims_of(payload, issuer, *times);
}

std::vector<std::string_view> claim_list(Value claims, const ClaimNames& names, ListForm form) {
    const Value claim = first_present(claims, names);
    if (const auto text = claim.string(); text && form == ListForm::kSpaceSeparated) {
        return split_at_spaces(*text);
    }
    auto list = claim.string_list();
    if (!list) return {};
    std::erase(*list, std::string_view());
    return *std::move(list);
}

}  // namespace gate::jose
