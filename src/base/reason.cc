#include "base/reason.h"

namespace gate {

std::string_view code(Reason reason) noexcept {
    switch (reason) {
#define X(name, text, outcome) \
    case Reason::name:         \
        return text;
        GATE_REASONS(X)
#undef X
    }
    return "internal_error";
}

RefusalClass refusal_class(Reason reason) noexcept {
    switch (reason) {
#define X(name, text, outcome) \
    case Reason::name:         \
        return RefusalClass::outcome;
        GATE_REASONS(X)
#undef X
    }
    return RefusalClass::kInternal;
}

std::optional<Reason> find_reason(std::string_view wanted) noexcept {
    for (std::size_t i = 0; i < kReasonCount; ++i) {
        const auto reason = static_cast<Reason>(i);
        if (code(reason) == wanted) return reason;
    }
    return std::nullopt;
}

int status_of(RefusalClass refusal) noexcept {
    switch (refusal) {
        case RefusalClass::kNone:
            return 0;
        case RefusalClass::kNoCredential:
        case RefusalClass::kInvalidToken:
        case RefusalClass::kLoginFailed:
            return 401;
        case RefusalClass::kInvalidRequest:
        case RefusalClass::kBadRequest:
            return 400;
        case RefusalClass::kInsufficientScope:
            return 403;
        case RefusalClass::kMethodNotAllowed:
            return 405;
        case RefusalClass::kContentTooLarge:
            return 413;
        case RefusalClass::kMediaType:
            return 415;
        case RefusalClass::kTooManyRequests:
            return 429;
        case RefusalClass::kUnavailable:
            return 503;
        case RefusalClass::kInternal:
            return 500;
    }
    return 500;
}

}  // namespace gate
