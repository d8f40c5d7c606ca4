// One comparison of a claim with the values of a gate_require_claim line.
#pragma once

#include <cstdint>
#include <span>

#include "jose/json.h"
#include "policy/requirement.h"

namespace gate::policy {

// Three-valued: what cannot be compared (other types, unsafe values, a limit hit) is neither true
// nor false, so that negation does not turn it into a pass.
enum class Truth : std::uint8_t { kFalse, kTrue, kUnknown };

// `claim` with `requirement.op`, before negation. A missing claim is kUnknown for every operator
// but kExists; null exists neither way.
Truth check_claim(jose::Value claim, const Requirement& requirement,
                  std::span<const RuleValue> values);

}  // namespace gate::policy
