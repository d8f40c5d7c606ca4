#include "policy/source.h"

namespace gate::policy {

namespace {

Reason reason_of_repetition(SourceType type) noexcept {
    switch (type) {
        case SourceType::kHeader:
        case SourceType::kVariable:
            return Reason::kHeaderMultiple;
        case SourceType::kCookie:
            return Reason::kCookieMultiple;
        case SourceType::kArgument:
            return Reason::kArgMultiple;
    }
    return Reason::kSrcConflict;
}

}  // namespace

std::string_view name_of(SourceType type) noexcept {
    switch (type) {
        case SourceType::kHeader:
            return "header";
        case SourceType::kCookie:
            return "cookie";
        case SourceType::kArgument:
            return "query";
        case SourceType::kVariable:
            return "variable";
    }
    return "";
}

Result<Selected, Reason> select_credential(std::span<const Candidate> candidates,
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
