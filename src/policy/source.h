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

// Of one source named twice.
Reason reason_of_repetition(SourceType type) noexcept;

// kHeaderMultiple, kCookieMultiple, kArgMultiple: one source named twice. kSrcConflict: two
// different credentials. A cookie counts only if no header, argument or variable carried a
// credential; what does not count (outranked, from another site, behind the first under kFirst) is
// not judged either.
inline Result<Selected, Reason> select_credential(std::span<const Candidate> candidates,
                                                  ConflictRule rule) {
    // A browser adds cookies on its own account: they give way to whatever was sent on purpose.
    bool deliberate = false;
    for (const Candidate& candidate : candidates) {
        deliberate = deliberate || (candidate.count > 0 && candidate.type != SourceType::kCookie);
    }

    Selected selected;
    for (const Candidate& candidate : candidates) {
        const bool cookie = candidate.type == SourceType::kCookie;
        if (candidate.count == 0 || (cookie && deliberate)) continue;
        if (cookie && candidate.cross_site) {
            selected.cross_site = true;
            continue;
        }
        if (rule == ConflictRule::kFirst && selected.candidate != nullptr) continue;
        if (candidate.count > 1) return fail(reason_of_repetition(candidate.type));
        if (selected.candidate == nullptr) {
            selected.candidate = &candidate;
        } else if (selected.candidate->value != candidate.value) {
            return fail(Reason::kSrcConflict);
        }
    }
    return selected;
}

}  // namespace gate::policy
