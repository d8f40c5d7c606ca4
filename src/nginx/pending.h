// A decision that waits for an answer from elsewhere, with all that is needed to go on.
#pragma once

#include "nginx/key_lookup.h"
#include "nginx/waiting.h"
#include "policy/engine.h"

namespace gate::nginx {

struct LocConf;

struct PendingDecision {
    PendingDecision(const policy::Request& asked, const LocConf& decides)
        : location(&decides), request(asked), authentication(request) {}
    PendingDecision(const PendingDecision&) = delete;
    PendingDecision& operator=(const PendingDecision&) = delete;

    const LocConf* location;
    policy::Request request;
    policy::Authentication authentication;
    Waiter waiter;
    KeyTicket ticket;
};

}  // namespace gate::nginx
