// Charging requests and failed attempts to token buckets in the zone.
#pragma once

#include <string>

#include "base/reason.h"
#include "nginx/record.h"

namespace gate::nginx {

// Takes a token for each of the location's gate_limit lines, once per request. kRateLimited when
// one has none: then none of them is charged.
Reason charge_all(ngx_http_request_t* r, Record& record, const LocConf& location);
inline Reason charge_limits(ngx_http_request_t* r, Record& record, const LocConf& location) {
    if (location.limits->empty() || record.limits.charged) return Reason::kNone;
    return charge_all(r, record, location);
}

// Whether a gate_fail_limit bucket of this client is empty: a credential that has to be verified
// first is refused then.
bool failures_exhausted(ngx_http_request_t* r, Record& record, const LocConf& location);

// Charges a refused credential to the gate_fail_limit buckets of this client, once per request. The
// reason to refuse it for: kTooManyFailures when one is empty, otherwise the one given.
Reason charge_failure(ngx_http_request_t* r, Record& record, const LocConf& location,
                      Reason reason);

// Headers of the answer: RateLimit-Limit, -Remaining, -Reset where a limit was charged, Retry-After
// where one refused. Throws bad_alloc.
void push_limit_headers(ngx_http_request_t* r, const LimitState& limits);
inline bool has_limit_headers(const LimitState& limits) noexcept {
    return limits.has_quota || limits.retry_after != 0;
}

}  // namespace gate::nginx
