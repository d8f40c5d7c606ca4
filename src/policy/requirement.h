// What a location asks of a principal: the gate_require lines as data, and their judgement.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/reason.h"
#include "base/result.h"
#include "policy/principal.h"

namespace gate::policy {

enum class RequirementKind : std::uint8_t { kScope, kRole, kClaim, kValue };

enum class ClaimOperator : std::uint8_t {
    kEq,
    kNe,
    kLt,
    kLe,
    kGt,
    kGe,
    kIn,
    kAny,
    kAll,
    kMatch,
    kExists
};

std::optional<ClaimOperator> find_operator(std::string_view name) noexcept;

// kUndecided: a limit was hit; neither the line nor its negation holds.
enum class MatchResult : std::uint8_t { kNo, kYes, kUndecided };

// A regular expression of PCRE2, compiled once, run with limits on steps, depth and memory. Copies
// share the compiled code.
class Pattern {
public:
    // Errors are PCRE2's message and offset.
    static Result<Pattern, std::string> compile(std::string_view expression);
    // Unanchored; a subject of more than 4096 octets is kUndecided.
    MatchResult matches(std::string_view subject) const noexcept;

private:
    struct Compiled;
    std::shared_ptr<const Compiled> compiled_;
};

// One line. Values stand beside it (RuleLine), because some come from variables of the request.
struct Requirement {
    RequirementKind kind = RequirementKind::kScope;
    bool all = false;                  // several values: all of them, else any
    std::vector<std::string> methods;  // empty: every method; GET includes HEAD
    std::string claim_path;            // kClaim
    ClaimOperator op = ClaimOperator::kExists;
    bool negated = false;
    std::optional<Pattern> pattern;  // kMatch, unanchored
    int status = 403;                // kClaim, kValue: error=
    std::string where;               // "nginx.conf:12"
};

struct RuleValue {
    std::string_view text;
    // False: came from a variable and is unsafe (empty, '*', ':'), so it never matches. Not looked
    // at in a kValue line, which takes any text but "" and "0".
    bool valid = true;
};

struct RuleLine {
    const Requirement* requirement;
    std::span<const RuleValue> values;
};

struct Rule {
    std::span<const RuleLine> lines;
    std::string_view method;
};

struct Allow {};

struct Denied {
    Reason reason = Reason::kInternal;
    int status = 0;      // 0: the one of the reason's class
    std::string scopes;  // for the challenge: the scopes of the unmet line
    std::string where;   // the unmet line
};

// Every line that names the method, or no method, must hold; where any line names methods, a method
// that none names is kMethodNotCovered. `principal` nullptr is an anonymous request: any line at
// all is kNoCredential.
Result<Allow, Denied> authorize(const Principal* principal, const Rule& rule);

}  // namespace gate::policy
