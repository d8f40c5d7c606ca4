#include "policy/source.h"

namespace gate::policy {

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

}  // namespace gate::policy
