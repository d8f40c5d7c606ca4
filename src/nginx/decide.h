// From a request's credential to a decision: authentication, the answers to its needs,
// authorization.
#pragma once

#include <optional>

#include "base/result.h"
#include "nginx/record.h"

namespace gate::nginx {

// Whether the request may enter `location`. On success record.identity is who it is (nobody:
// anonymous). nullopt: it waits for an answer of Redis, and this has to be called again when it is
// woken; calls before that do no harm.
std::optional<Result<policy::Allow, policy::Denied>> decide(ngx_http_request_t* r, Record& record,
                                                            const LocConf& location);

// Whether decide() would let in whom it let in within this second, where the location asks for
// nothing but a good credential; record.identity is who it is then. False, with nothing done: it
// has to be asked.
bool passes_again(ngx_http_request_t* r, Record& record, const LocConf& location);

// Whether `identity` (nullptr: nobody) was verified by an issuer or store that `location` accepts,
// and meets its rule.
Result<policy::Allow, policy::Denied> meets(ngx_http_request_t* r, const Identity* identity,
                                            const LocConf& location);

// The status that a refusal is answered with.
int status_of(const policy::Denied& denied) noexcept;

// A credential that needs no lookup to be refused: none, ambiguous, too long. kNone: go on.
inline Reason early_problem(const Record& record, const LocConf& location) noexcept {
    const Extraction& extraction = record.extraction;
    if (extraction.problem != Reason::kNone) return extraction.problem;
    if (extraction.credential.text.size() > *location.max_token_size) return Reason::kTokTooLong;
    if (extraction.credential.kind != policy::CredentialKind::kNone || location.gate->optional) {
        return Reason::kNone;
    }
    return extraction.cross_site ? Reason::kCrossSite : Reason::kNoCredential;
}

}  // namespace gate::nginx
