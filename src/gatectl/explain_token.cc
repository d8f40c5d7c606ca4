#include <algorithm>

#include "base/json_text.h"
#include "base/text_list.h"
#include "gatectl/check_list.h"
#include "gatectl/explain.h"
#include "gatectl/output.h"
#include "jose/jwt.h"

namespace gate::ctl {

namespace {

using jose::Value;

ClaimShape shape_of(std::string_view name, Value value) {
    ClaimShape shape{std::string(name), "", value.size()};
    switch (value.kind()) {
        case Value::Kind::kAbsent:
            shape.type = "absent";
            break;
        case Value::Kind::kNull:
            shape.type = "null";
            break;
        case Value::Kind::kBool:
            shape.type = "boolean";
            break;
        case Value::Kind::kInteger:
            shape.type = "integer";
            break;
        case Value::Kind::kReal:
            shape.type = "number";
            break;
        case Value::Kind::kString:
            shape.type = "string";
            shape.length = value.string()->size();
            break;
        case Value::Kind::kArray:
            shape.type = "array";
            break;
        case Value::Kind::kObject:
            shape.type = "object";
            break;
    }
    return shape;
}

// The judgement of one token, one member function a check; each adds exactly one to the list.
class TokenChecks {
public:
    TokenChecks(std::string_view text, const policy::TrustedIssuer& trusted, Seconds now,
                Explanation& explanation)
        : text_(text),
          trusted_(trusted),
          issuer_(*trusted.issuer),
          now_(now),
          explanation_(explanation),
          checks_(explanation) {}

    void run() {
        check_shape();
        check_payload();
        check_issuer();
        check_algorithm();
        check_times();
        check_signature();
        check_rest();
    }

private:
    void check_shape() {
        auto token = jose::parse_token(text_);
        const std::string size = std::to_string(text_.size()) + " octets";
        if (!token) {
            checks_.failed("shape", token.error(), size);
            return;
        }
        token_ = *std::move(token);
        checks_.passed("shape",
                       size + ", alg " + std::string(info(token_->header.alg).name) + ", kid " +
                           (token_->header.kid ? json_string(*token_->header.kid) : "absent"));
    }

    void check_payload() {
        if (!token_) return checks_.passed("payload", "");
        auto payload = jose::Document::parse(text_of(token_->payload));
        if (!payload) return checks_.failed("payload", payload.error(), "not a strict JSON object");
        payload_ = *std::move(payload);
        const Value root = payload_.root();
        for (const std::string_view name : root.member_names()) {
            explanation_.claims.push_back(shape_of(name, root.member(name)));
        }
        checks_.passed("payload", std::to_string(root.size()) + " claims");
    }

    void check_issuer() {
        if (checks_.ended()) return checks_.passed("issuer", "");
        const std::string expected =
            issuer_.iss ? "iss must be " + json_string(*issuer_.iss) : "iss must be absent";
        const auto iss = jose::issuer_of(payload_);
        if (!iss) return checks_.failed("issuer", iss.error(), expected);
        checks_.judged("issuer", *iss == issuer_.iss ? Reason::kNone : Reason::kIssMismatch,
                       expected);
    }

    void check_algorithm() {
        if (checks_.ended()) return checks_.passed("algorithm", "");
        const bool allowed = issuer_.algorithms.contains(token_->header.alg);
        checks_.judged("algorithm", allowed ? Reason::kNone : Reason::kAlgNotAllowed,
                       "allowed are " + issuer_.algorithms.names());
    }

    // How far an instant is, without the instant.
    std::string distance(std::string_view name) const {
        const Value claim = payload_.root().member(name);
        std::string text(name);
        const auto when = claim.number();
        if (!claim.present()) return text + " absent";
        if (!when || !(*when >= 0 && *when <= static_cast<double>(jose::kMaxNumericDate))) {
            return text + " is no usable time";
        }
        const auto seconds = static_cast<Seconds>(*when) - now_;
        if (seconds < 0) return text + " " + std::to_string(-seconds) + " s ago";
        return text + " in " + std::to_string(seconds) + " s";
    }

    void check_times() {
        if (checks_.ended()) return checks_.passed("times", "");
        const auto timely = jose::check_times(payload_, issuer_, now_);
        checks_.judged("times", timely ? Reason::kNone : timely.error(),
                       distance("exp") + ", " + distance("nbf") + ", " + distance("iat"));
    }

    void check_signature() {
        Reason reason = Reason::kNone;
        std::string key = "of " + std::to_string(trusted_.keys->keys().size()) + " keys";
        if (!checks_.ended()) {
            const auto good = jose::verify_signature(*token_, *trusted_.keys, issuer_.algorithms);
            if (!good) reason = good.error();
            const bool named =
                token_->header.kid && trusted_.keys->find(*token_->header.kid) != nullptr;
            key = (named ? "the one named by kid " : "by algorithm ") + key;
        }
        const bool found = reason == Reason::kNone || reason == Reason::kSigBad;
        checks_.judged("key", found ? Reason::kNone : reason, key);
        checks_.judged("signature", reason, "");
    }

    // Which of the checks behind the signature gave `reason`, as verify_jwt orders them.
    std::string_view place_of(Reason reason) const {
        const Value root = payload_.root();
        const auto missing = [&root](const std::string& name) {
            const Value claim = root.find(name);
            return !claim.present() || claim.is(Value::Kind::kNull);
        };
        switch (reason) {
            case Reason::kAudMismatch:
                return "audience";
            case Reason::kTypBad:
                return "type";
            case Reason::kClaimMissing:
                return std::ranges::any_of(issuer_.require_claims, missing) ? "required claims"
                                                                            : "lifetime";
            case Reason::kLifetime:
            case Reason::kExpMissing:
                return "lifetime";
            case Reason::kClaimType:
                return root.member("aud").present() && !root.member("aud").string_list()
                           ? "audience"
                           : "identity";
            default:
                return "identity";
        }
    }

    void check_rest() {
        const bool ended = checks_.ended();
        const std::string_view bad =
            explanation_.reason == Reason::kNone || ended ? "" : place_of(explanation_.reason);
        const std::pair<std::string_view, std::string> rows[] = {
            {"audience", issuer_.audience_off ? "off" : "one of " + quoted(issuer_.audiences)},
            {"type", issuer_.types.empty() ? "any" : "one of " + quoted(issuer_.types)},
            {"required claims", joined(issuer_.require_claims, " ", "none")},
            {"lifetime", issuer_.max_lifetime == 0
                             ? "no limit"
                             : "at most " + std::to_string(issuer_.max_lifetime) + " s"},
            {"identity", ended ? "" : identity_detail()}};
        for (const auto& [name, detail] : rows) {
            checks_.judged(name, name == bad ? explanation_.reason : Reason::kNone, detail);
        }
    }

    static std::string quoted(const std::vector<std::string>& texts) {
        std::vector<std::string> literals;
        for (const std::string& text : texts) literals.push_back(json_string(text));
        return joined(literals, " ");
    }

    std::string identity_detail() const {
        const Value root = payload_.root();
        const auto count = [&root](const jose::ClaimNames& names, jose::ListForm form) {
            return std::to_string(jose::claim_list(root, names, form).size());
        };
        return count(issuer_.scope_claim, jose::ListForm::kSpaceSeparated) + " scopes, " +
               count(issuer_.role_claim, jose::ListForm::kPlain) + " roles, " +
               count(issuer_.group_claim, jose::ListForm::kPlain) + " groups";
    }

    std::string_view text_;
    const policy::TrustedIssuer& trusted_;
    const jose::Issuer& issuer_;
    Seconds now_;
    Explanation& explanation_;
    CheckList checks_;
    std::optional<jose::Token> token_;
    jose::Document payload_;
};

Reason verdict_of(std::string_view token, const policy::TrustedIssuer& issuer, Seconds now) {
    policy::Request request;
    request.credential = {policy::CredentialKind::kJwt, token};
    const policy::TrustedIssuer* const only = &issuer;
    request.issuers = {&only, 1};
    request.max_size = token.size();  // each location has its own limit
    request.now = now;
    const policy::Outcome outcome = policy::Authentication(request).start();
    if (std::holds_alternative<policy::Verified>(outcome)) return Reason::kNone;
    if (const auto* deny = std::get_if<policy::Deny>(&outcome)) return deny->reason;
    return Reason::kInternal;
}

}  // namespace

Explanation explain_token(std::string_view token, const policy::TrustedIssuer& issuer,
                          Seconds now) {
    Explanation explanation;
    explanation.reason = verdict_of(token, issuer, now);
    TokenChecks(token, issuer, now, explanation).run();
    return explanation;
}

}  // namespace gate::ctl
