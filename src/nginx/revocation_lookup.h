// gate_revocation_lookup: whether an application has put the credential among its own revoked ids
// in Redis.
#pragma once

#include <optional>
#include <string>

#include "base/reason.h"
#include "nginx/ngx.h"
#include "nginx/waiting.h"
#include "redis/pipeline.h"

namespace gate::nginx {

class Record;
struct LocConf;
struct RevocationLookupConf;

// A request that waits for the answer to one of its location's lines.
class PendingLookup final : public redis::Caller {
public:
    explicit PendingLookup(const LocConf& decides) noexcept : location(&decides) {}
    PendingLookup(const PendingLookup&) = delete;
    PendingLookup& operator=(const PendingLookup&) = delete;
    ~PendingLookup();

    void answered(std::vector<redis::Reply> replies) override;
    void failed(redis::LinkFailure failure) override;

    const LocConf* location;
    std::size_t line = 0;  // of the location's
    Waiter waiter;
    // What the line says: kNone, kRevoked, or why nobody knows.
    std::optional<Reason> answer;

private:
    friend std::optional<Reason> look_for_revocation(ngx_http_request_t*, Record&, const LocConf&);
    // Why nobody can be asked; nullopt: asked.
    std::optional<Reason> ask(const RevocationLookupConf& lookup, std::string command,
                              std::string_view key);
    void finish(Reason reason);

    const RevocationLookupConf* lookup_ = nullptr;
    bool asked_ = false;
    std::string command_;  // that is being asked: what the answer is kept under
};

// Asks the lines of the location in turn: kNone, kRevoked, kClaimMissing where a variable is empty,
// or why nobody knows. nullopt: the request waits, and this has to be called again when it is
// woken.
std::optional<Reason> look_for_revocation(ngx_http_request_t* r, Record& record,
                                          const LocConf& location);

// For exit_process: nothing is remembered any more.
void forget_lookups() noexcept;

}  // namespace gate::nginx
