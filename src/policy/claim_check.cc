#include "policy/claim_check.h"

#include <charconv>
#include <compare>
#include <limits>
#include <optional>
#include <system_error>

namespace gate::policy {

namespace {

using jose::Value;
using Kind = Value::Kind;

// Wide enough for every int64 and every double, so that one comparison serves both.
using Number = long double;
static_assert(std::numeric_limits<Number>::digits >= 63);

Truth truth(bool value) noexcept {
    return value ? Truth::kTrue : Truth::kFalse;
}

// Kleene's "or" and "and".
Truth either(Truth a, Truth b) noexcept {
    if (a == Truth::kTrue || b == Truth::kTrue) return Truth::kTrue;
    return a == Truth::kUnknown ? a : b;
}
Truth both(Truth a, Truth b) noexcept {
    if (a == Truth::kFalse || b == Truth::kFalse) return Truth::kFalse;
    return a == Truth::kUnknown ? a : b;
}

std::optional<Number> number_of(Value value) noexcept {
    if (const auto integer = value.integer()) return static_cast<Number>(*integer);
    if (const auto real = value.number()) return static_cast<Number>(*real);
    return std::nullopt;
}

// A decimal number, as JSON writes it; "inf", "nan" and "+1" are none.
std::optional<Number> number_of(std::string_view text) noexcept {
    const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
    if (digits.empty() || digits.front() < '0' || digits.front() > '9') return std::nullopt;
    Number number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

// How a scalar claim stands to a value's text; unordered where they are not of one type.
std::partial_ordering compare(Value claim, const RuleValue& value) noexcept {
    if (!value.valid) return std::partial_ordering::unordered;
    if (const auto string = claim.string()) return string->compare(value.text) <=> 0;
    if (const auto number = number_of(claim)) {
        const auto other = number_of(value.text);
        return other ? *number <=> *other : std::partial_ordering::unordered;
    }
    return std::partial_ordering::unordered;
}

Truth equals(Value claim, const RuleValue& value) noexcept {
    if (const auto boolean = claim.boolean()) {
        const bool is_boolean = value.text == "true" || value.text == "false";
        return is_boolean && value.valid ? truth(*boolean == (value.text == "true"))
                                         : Truth::kUnknown;
    }
    const std::partial_ordering order = compare(claim, value);
    return order == std::partial_ordering::unordered ? Truth::kUnknown : truth(order == 0);
}

Truth ordered(Value claim, ClaimOperator op, const RuleValue& value) noexcept {
    const std::partial_ordering order = compare(claim, value);
    if (order == std::partial_ordering::unordered) return Truth::kUnknown;
    switch (op) {
        case ClaimOperator::kLt:
            return truth(order < 0);
        case ClaimOperator::kLe:
            return truth(order <= 0);
        case ClaimOperator::kGt:
            return truth(order > 0);
        case ClaimOperator::kGe:
            return truth(order >= 0);
        default:
            return Truth::kUnknown;
    }
}

Truth is_in(Value claim, std::span<const RuleValue> values) noexcept {
    Truth result = Truth::kFalse;
    for (const RuleValue& value : values) result = either(result, equals(claim, value));
    return result;
}

// Whether an array has `value` as an element; a string counts as an array of one.
Truth has(Value claim, const RuleValue& value) noexcept {
    if (claim.is(Kind::kString)) return equals(claim, value);
    if (!claim.is(Kind::kArray) || !value.valid) return Truth::kUnknown;
    Truth result = Truth::kFalse;
    for (std::size_t i = 0; i < claim.size(); ++i)
        result = either(result, equals(claim.at(i), value));
    return result;
}

Truth has_any(Value claim, std::span<const RuleValue> values) noexcept {
    Truth result = Truth::kFalse;
    for (const RuleValue& value : values) result = either(result, has(claim, value));
    return result;
}

Truth has_all(Value claim, std::span<const RuleValue> values) noexcept {
    Truth result = Truth::kTrue;
    for (const RuleValue& value : values) result = both(result, has(claim, value));
    return result;
}

Truth matches(Value claim, const std::optional<Pattern>& pattern) noexcept {
    const auto subject = claim.string();
    if (!subject || !pattern) return Truth::kUnknown;
    switch (pattern->matches(*subject)) {
        case MatchResult::kYes:
            return Truth::kTrue;
        case MatchResult::kNo:
            return Truth::kFalse;
        case MatchResult::kUndecided:
            break;
    }
    return Truth::kUnknown;
}

Truth exists(Value claim) noexcept {
    if (claim.is(Kind::kNull)) return Truth::kUnknown;
    return truth(claim.present());
}

}  // namespace

Truth check_claim(Value claim, const Requirement& requirement, std::span<const RuleValue> values) {
    if (requirement.op == ClaimOperator::kExists) return exists(claim);
    if (requirement.op == ClaimOperator::kMatch) return matches(claim, requirement.pattern);
    if (values.empty()) return Truth::kUnknown;
    switch (requirement.op) {
        case ClaimOperator::kEq:
            return equals(claim, values.front());
        case ClaimOperator::kNe: {
            const Truth equal = equals(claim, values.front());
            return equal == Truth::kUnknown ? equal : truth(equal == Truth::kFalse);
        }
        case ClaimOperator::kIn:
            return is_in(claim, values);
        case ClaimOperator::kAny:
            return has_any(claim, values);
        case ClaimOperator::kAll:
            return has_all(claim, values);
        default:
            return ordered(claim, requirement.op, values.front());
    }
}

}  // namespace gate::policy
