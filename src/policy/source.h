// Which of the credentials in a request counts: order, ambience and conflict of sources.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/reason.h"
#include "base/result.h"
#include "policy/principal.h"

namespace gate::policy {

enum class SourceType : std::uint8_t { kHeader, kCookie, kArgument, kVariable };

// "header", "cookie", "query", "variable", as the log's src= says it.
std::string_view name_of(SourceType type) noexcept;

// What one source gave, and which kinds of credential are configured for it.
struct Candidate {
    SourceType type = SourceType::kHeader;
    bool for_jwt = false;
    bool for_key = false;
    std::size_t count = 0;  // how often the request named it
    std::string_view value;
    bool cross_site = false;  // cookie sent from another site: counts as absent
};

enum class ConflictRule : std::uint8_t { kRefuse, kFirst };

struct Selected {
    const Candidate* candidate = nullptr;  // nullptr: no credential
    bool cross_site = false;               // a cookie was left out because of its origin
};

// kHeaderMultiple, kCookieMultiple, kArgMultiple: one source named twice. kSrcConflict: two
// different credentials. A cookie counts only if no header, argument or variable carried a
// credential; what does not count (outranked, from another site, behind the first under kFirst) is
// not judged either.
Result<Selected, Reason> select_credential(std::span<const Candidate> candidates,
                                           ConflictRule rule);

}  // namespace gate::policy
