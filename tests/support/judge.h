// The two levels of `gatectl jws-check` (signature only, and default claim rules without issuer and
// audience) for tests that run the vectors.
#pragma once

#include <string_view>

#include "base/reason.h"
#include "base/time.h"
#include "crypto/alg.h"
#include "jose/key_set.h"

namespace gate::test {

// Between 2023 and 2100: the vectors' valid tokens expire in 2100.
inline constexpr Seconds kNow = 1800000000;

// kNone for an accepted token, otherwise the reason.
Reason judge_jws(std::string_view jwks, std::string_view token,
                 crypto::AlgSet algs = crypto::AlgSet::all());
Reason judge_jwt(std::string_view jwks, std::string_view token, Seconds now = kNow,
                 crypto::AlgSet algs = crypto::AlgSet::all());

Reason judge_jws(const jose::KeySet& keys, std::string_view token,
                 crypto::AlgSet algs = crypto::AlgSet::all());
Reason judge_jwt(const jose::KeySet& keys, std::string_view token, Seconds now = kNow,
                 crypto::AlgSet algs = crypto::AlgSet::all());

}  // namespace gate::test
