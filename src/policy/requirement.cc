#include "policy/requirement.h"

#include <algorithm>
#include <array>
#include <utility>

#include "policy/claim_check.h"

namespace gate::policy {

namespace {

constexpr std::array<std::pair<std::string_view, ClaimOperator>, 11> kOperators{{
    {"eq", ClaimOperator::kEq},
    {"ne", ClaimOperator::kNe},
    {"lt", ClaimOperator::kLt},
    {"le", ClaimOperator::kLe},
    {"gt", ClaimOperator::kGt},
    {"ge", ClaimOperator::kGe},
    {"in", ClaimOperator::kIn},
    {"any", ClaimOperator::kAny},
    {"all", ClaimOperator::kAll},
    {"match", ClaimOperator::kMatch},
    {"exists", ClaimOperator::kExists},
}};

bool names_method(const Requirement& requirement, std::string_view method) noexcept {
    const auto& methods = requirement.methods;
    const auto named = [&](std::string_view wanted) {
        return std::find(methods.begin(), methods.end(), wanted) != methods.end();
    };
    return named(method) || (method == "HEAD" && named("GET"));
}

// One or all of the values, as the line says; no value at all is met by nobody.
template <class Holds>
bool holds(const Requirement& requirement, std::span<const RuleValue> values, Holds has) noexcept {
    const auto good = [&](const RuleValue& value) { return value.valid && has(value.text); };
    if (values.empty()) return false;
    return requirement.all ? std::all_of(values.begin(), values.end(), good)
                           : std::any_of(values.begin(), values.end(), good);
}

bool is_true(const RuleValue& value) noexcept {
    return !value.text.empty() && value.text != "0";
}

Reason judge(const Principal& principal, const Requirement& line,
             std::span<const RuleValue> values) {
    switch (line.kind) {
        case RequirementKind::kScope: {
            const auto has = [&](std::string_view scope) { return principal.has_scope(scope); };
            return holds(line, values, has) ? Reason::kNone : Reason::kScopeMissing;
        }
        case RequirementKind::kRole: {
            const auto has = [&](std::string_view role) { return principal.has_role(role); };
            return holds(line, values, has) ? Reason::kNone : Reason::kRoleMissing;
        }
        case RequirementKind::kClaim: {
            const jose::Value claim = principal.claims.root().find(line.claim_path);
            const Truth wanted = line.negated ? Truth::kFalse : Truth::kTrue;
            return check_claim(claim, line, values) == wanted ? Reason::kNone : Reason::kClaimUnmet;
        }
        case RequirementKind::kValue: {
            const bool met = !values.empty() && std::all_of(values.begin(), values.end(), is_true);
            return met ? Reason::kNone : Reason::kValueUnmet;
        }
    }
    return Reason::kInternal;
}

// scope-token of RFC 6749 section 3.3: what may stand in the challenge.
bool is_scope_token(std::string_view text) noexcept {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        const auto octet = static_cast<std::uint8_t>(c);
        return octet > 0x20 && octet < 0x7f && c != '"' && c != '\\';
    });
}

std::string scopes_of(std::span<const RuleValue> values) {
    std::string scopes;
    for (const RuleValue& value : values) {
        if (!value.valid || !is_scope_token(value.text)) continue;
        if (!scopes.empty()) scopes += ' ';
        scopes.append(value.text);
    }
    return scopes;
}

Denied denied(Reason reason, const RuleLine& line) {
    const Requirement& requirement = *line.requirement;
    Denied out{reason, 0, {}, requirement.where};
    if (reason == Reason::kScopeMissing) out.scopes = scopes_of(line.values);
    if (reason == Reason::kClaimUnmet || reason == Reason::kValueUnmet)
        out.status = requirement.status;
    return out;
}

}  // namespace

std::optional<ClaimOperator> find_operator(std::string_view name) noexcept {
    for (const auto& [known, op] : kOperators) {
        if (known == name) return op;
    }
    return std::nullopt;
}

Result<Allow, Denied> authorize(const Principal* principal, const Rule& rule) {
    if (rule.lines.empty()) return Allow{};
    if (principal == nullptr) return fail(denied(Reason::kNoCredential, rule.lines.front()));

    const RuleLine* first_with_methods = nullptr;
    bool covered = false;
    for (const RuleLine& line : rule.lines) {
        if (line.requirement->methods.empty()) continue;
        if (first_with_methods == nullptr) first_with_methods = &line;
        covered = covered || names_method(*line.requirement, rule.method);
    }
    if (first_with_methods != nullptr && !covered) {
        return fail(denied(Reason::kMethodNotCovered, *first_with_methods));
    }
    for (const RuleLine& line : rule.lines) {
        const Requirement& requirement = *line.requirement;
        if (!requirement.methods.empty() && !names_method(requirement, rule.method)) continue;
        const Reason reason = judge(*principal, requirement, line.values);
        if (reason != Reason::kNone) return fail(denied(reason, line));
    }
    return Allow{};
}

}  // namespace gate::policy
