// The stable codes of every refusal: what $gate_reason, the counters and the log line say, and the
// class of outcome a client sees. docs/REASONS.md explains each code; a test compares both lists.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace gate {

// What the client learns (DESIGN: one challenge and one body per class).
enum class RefusalClass : std::uint8_t {
    kNone,               // not a refusal
    kNoCredential,       // 401, challenge without error
    kInvalidToken,       // 401, error="invalid_token"
    kInvalidRequest,     // 400, error="invalid_request"
    kInsufficientScope,  // 403, error="insufficient_scope"
    kLoginFailed,        // 401, challenge without error
    kBadRequest,         // 400, no challenge: the request says nothing that could be answered
    kMethodNotAllowed,   // 405, Allow
    kContentTooLarge,    // 413
    kMediaType,          // 415
    kTooManyRequests,    // 429, Retry-After
    kUnavailable,        // 503, Retry-After
    kInternal,           // 500
};

// clang-format off
#define GATE_REASONS(X)                                              \
    X(kNone,              "",                    kNone)              \
    /* no credential */                                              \
    X(kNoCredential,      "no_credential",       kNoCredential)      \
    X(kCrossSite,         "cross_site",          kNoCredential)      \
    X(kSubrequest,        "subrequest",          kNoCredential)      \
    /* shape of a token (RFC 7515, RFC 7519) */                      \
    X(kTokTooLong,        "tok_too_long",        kInvalidToken)      \
    X(kTokMalformed,      "tok_malformed",       kInvalidToken)      \
    X(kTokB64,            "tok_b64",             kInvalidToken)      \
    X(kJsonBad,           "json_bad",            kInvalidToken)      \
    X(kJsonDup,           "json_dup",            kInvalidToken)      \
    X(kJsonLimit,         "json_limit",          kInvalidToken)      \
    X(kAlgNone,           "alg_none",            kInvalidToken)      \
    X(kAlgUnknown,        "alg_unknown",         kInvalidToken)      \
    X(kAlgNotAllowed,     "alg_not_allowed",     kInvalidToken)      \
    X(kAlgKeyMismatch,    "alg_key_mismatch",    kInvalidToken)      \
    X(kKidType,           "kid_type",            kInvalidToken)      \
    X(kKidUnknown,        "kid_unknown",         kInvalidToken)      \
    X(kCritUnsupported,   "crit_unsupported",    kInvalidToken)      \
    X(kB64Unsupported,    "b64_unsupported",     kInvalidToken)      \
    X(kTypBad,            "typ_bad",             kInvalidToken)      \
    X(kSigBad,            "sig_bad",             kInvalidToken)      \
    /* keys that are not used (also the reason a load names) */      \
    X(kJwkBad,            "jwk_bad",             kInvalidToken)      \
    X(kJwkWeak,           "jwk_weak",            kInvalidToken)      \
    X(kJwkUse,            "jwk_use",             kInvalidToken)      \
    X(kJwksBad,           "jwks_bad",            kInvalidToken)      \
    X(kJwksUnavailable,   "jwks_unavailable",    kUnavailable)       \
    /* claims */                                                     \
    X(kClaimType,         "claim_type",          kInvalidToken)      \
    X(kClaimRange,        "claim_range",         kInvalidToken)      \
    X(kClaimUnsafe,       "claim_unsafe",        kInvalidToken)      \
    X(kClaimMissing,      "claim_missing",       kInvalidToken)      \
    X(kExpMissing,        "exp_missing",         kInvalidToken)      \
    X(kExpPast,           "exp_past",            kInvalidToken)      \
    X(kNbfFuture,         "nbf_future",          kInvalidToken)      \
    X(kIatFuture,         "iat_future",          kInvalidToken)      \
    X(kLifetime,          "lifetime_exceeded",   kInvalidToken)      \
    X(kIssMismatch,       "iss_mismatch",        kInvalidToken)      \
    X(kAudMismatch,       "aud_mismatch",        kInvalidToken)      \
    X(kRevoked,           "revoked",             kInvalidToken)      \
    X(kRevocationLag,     "revocation_lag",      kUnavailable)       \
    X(kRevocationFull,    "revocation_full",     kUnavailable)       \
    /* API keys */                                                   \
    X(kKeyMalformed,      "key_malformed",       kInvalidToken)      \
    X(kKeyChecksum,       "key_checksum",        kInvalidToken)      \
    X(kKeyUnknown,        "key_unknown",         kInvalidToken)      \
    X(kKeySuspended,      "key_suspended",       kInvalidToken)      \
    X(kKeyRevoked,        "key_revoked",         kInvalidToken)      \
    X(kKeyExpired,        "key_expired",         kInvalidToken)      \
    X(kKeyNotYet,         "key_not_yet",         kInvalidToken)      \
    X(kKeyAddress,        "key_address",         kInvalidToken)      \
    X(kRecordBad,         "record_bad",          kUnavailable)       \
    X(kStoreUnavailable,  "store_unavailable",   kUnavailable)       \
    X(kStoreTimeout,      "store_timeout",       kUnavailable)       \
    /* ambiguous requests */                                         \
    X(kHeaderMultiple,    "header_multiple",     kInvalidRequest)    \
    X(kCookieMultiple,    "cookie_multiple",     kInvalidRequest)    \
    X(kArgMultiple,       "arg_multiple",        kInvalidRequest)    \
    X(kSrcConflict,       "src_conflict",        kInvalidRequest)    \
    X(kDotSegment,        "dot_segment",         kInvalidRequest)    \
    /* requests to endpoints */                                      \
    X(kMethodNotAllowed,  "method_not_allowed",  kMethodNotAllowed)  \
    X(kBodyMalformed,     "body_malformed",      kBadRequest)        \
    X(kBodyTooLarge,      "body_too_large",      kContentTooLarge)   \
    X(kMediaType,         "media_type",          kMediaType)         \
    X(kUserUnknown,       "user_unknown",        kLoginFailed)       \
    X(kUserDisabled,      "user_disabled",       kLoginFailed)       \
    X(kPasswordWrong,     "password_wrong",      kLoginFailed)       \
    X(kRefreshReused,     "refresh_reused",      kInvalidToken)      \
    X(kHashQueueFull,     "hash_queue_full",     kUnavailable)       \
    X(kUsersUnavailable,  "users_unavailable",   kUnavailable)       \
    /* limits */                                                     \
    X(kRateLimited,       "rate_limited",        kTooManyRequests)   \
    X(kTooManyFailures,   "too_many_failures",   kTooManyRequests)   \
    /* requirements */                                               \
    X(kScopeMissing,      "scope_missing",       kInsufficientScope) \
    X(kRoleMissing,       "role_missing",        kInsufficientScope) \
    X(kClaimUnmet,        "claim_unmet",         kInsufficientScope) \
    X(kValueUnmet,        "value_unmet",         kInsufficientScope) \
    X(kMethodNotCovered,  "method_not_covered",  kInsufficientScope) \
    /* ourselves */                                                  \
    X(kInternal,          "internal_error",      kInternal)
// clang-format on

enum class Reason : std::uint8_t {
#define X(name, code, outcome) name,
    GATE_REASONS(X)
#undef X
};

#define X(name, code, outcome) +1
inline constexpr std::size_t kReasonCount = 0 GATE_REASONS(X);
#undef X

// The stable code, "" for kNone.
std::string_view code(Reason reason) noexcept;

// An unknown value is kInternal: fail closed.
RefusalClass refusal_class(Reason reason) noexcept;

// The reason of a stable code.
std::optional<Reason> find_reason(std::string_view code) noexcept;

// HTTP status of a class; 0 for kNone.
int status_of(RefusalClass refusal) noexcept;

}  // namespace gate
