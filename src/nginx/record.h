// Everything the gate knows about one client request. Hangs on the main request's pool, so that it
// is found again after an internal redirect has cleared the modules' contexts; subrequests use it
// too.
#pragma once

#include <cstdint>
#include <memory>
#include <memory_resource>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/reason.h"
#include "nginx/conf.h"
#include "nginx/counting.h"
#include "nginx/ngx.h"
#include "nginx/pool_memory.h"
#include "policy/engine.h"
#include "policy/principal.h"
#include "policy/source.h"

namespace gate::nginx {

class Endpoint;
class PendingLookup;
class Waiter;
struct PendingDecision;

// $gate_status.
enum class GateStatus : std::uint8_t { kNone, kPassed, kDenied, kDryRun, kSkipped, kError };

std::string_view name_of(GateStatus status) noexcept;

struct Decision {
    GateStatus status = GateStatus::kNone;
    Reason reason = Reason::kNone;
    int http_status = 0;
    std::string_view scopes;            // asked for by the unmet line; in the request's pool
    std::string_view where;             // the unmet line; the same
    const LocConf* location = nullptr;  // whose rule decided
};

// What a location's sources said about the credential.
struct Extraction {
    const LocConf* location = nullptr;  // nullptr: not done
    policy::Credential credential;
    policy::SourceType source = policy::SourceType::kHeader;
    Reason problem = Reason::kNone;  // ambiguous
    bool cross_site = false;
};

// Whom the verified credential stands for.
class Identity {
public:
    bool known() const noexcept { return source_ != nullptr; }
    policy::CredentialKind kind() const noexcept { return kind_; }
    // The jose::Issuer or policy::KeyStore that answers for it; nullptr: nobody is known.
    const void* source() const noexcept { return source_; }
    // Made when first asked for; nullptr: nobody is known.
    const policy::Principal* principal(std::pmr::memory_resource* memory) const;

    void forget() noexcept {
        if (source_ == nullptr) return;
        kind_ = policy::CredentialKind::kNone;
        source_ = nullptr;
        recalled_.identity = nullptr;
        key_ = nullptr;
        drop(recalled_.roles);
        drop(principal_);
    }
    void set(policy::Verified verified);
    void set_key(const LocalPtr<policy::SharedRecord>& key, const policy::KeyStore* store) {
        kind_ = policy::CredentialKind::kKey;
        source_ = store;
        key_ = key;
    }
    // For policy::recall(), and what it says when it has filled that in.
    policy::Recalled& recalled() noexcept { return recalled_; }
    void forget_recalled() noexcept {
        recalled_.roles.reset();
        recalled_.identity = nullptr;
    }
    void set_recalled() noexcept {
        kind_ = policy::CredentialKind::kJwt;
        source_ = recalled_.issuer;
    }

private:
    template <class Pointer>
    [[gnu::noinline]] static void reset(Pointer& pointer) noexcept {
        pointer.reset();
    }
    // Few of them hold anything.
    template <class Pointer>
    static void drop(Pointer& pointer) noexcept {
        if (pointer) reset(pointer);
    }

    policy::CredentialKind kind_ = policy::CredentialKind::kNone;
    const void* source_ = nullptr;
    LocalPtr<policy::SharedRecord> key_;
    mutable std::shared_ptr<const policy::Principal> principal_;
    policy::Recalled recalled_;
};

// How far a request has come.
struct Progress {
    // Hook 1 has run.
    bool entered = false;
    bool identity_unsafe = false;  // a gate variable could not be written safely
    bool answer_sent = false;
    bool variables_read = false;  // some gate variable has been asked for
    bool lists_used = false;
    bool waits = false;    // pending() is there
    bool settled = false;  // the decision is logged, and counted unless an earlier one was
    bool counted = false;
    policy::CacheOutcome cache = policy::CacheOutcome::kBypass;
    // The query string as the client sent it.
    std::string_view original_arguments;
    // The header that take_lone_header() removed.
    const ngx_table_elt_t* lone_header = nullptr;
    // The credential that says who it is.
    std::string_view verified_text;
    // Of a login, as the client wrote it.
    std::string_view username;
    // What answers it, where that is an endpoint; in the request's pool.
    Endpoint* endpoint = nullptr;
};

// What is known about one request.
struct RequestState : Progress {
    Extraction extraction;
    Decision decision;
    LimitState limits;
    // The body of the refusal's answer, where it is not nginx's page; set by the header filter.
    std::optional<std::string_view> answer_body;

    // As before a request; one after the other, as the compiler makes plain stores of small ones.
    void clear() noexcept {
        static_cast<Progress&>(*this) = Progress{};
        extraction = Extraction{};
        decision = Decision{};
        limits = LimitState{};
        answer_body = std::nullopt;
    }
};
static_assert(std::is_trivially_copyable_v<RequestState>);
static_assert(sizeof(RequestState) == sizeof(Progress) + sizeof(Extraction) + sizeof(Decision) +
                                          sizeof(LimitState) +
                                          sizeof(std::optional<std::string_view>),
              "clear() has to know each member");

// What most requests have none of.
struct Lists {
    // Headers that were stripped, with their values: lower-case name, value.
    std::vector<std::pair<std::string_view, std::string_view>> stripped;
    // Cookie lines that were rewritten: the element and its first value.
    std::vector<std::pair<const ngx_table_elt_t*, std::string_view>> rewritten_cookies;
    // Values of variables that served as sources, as first seen.
    std::vector<std::pair<ngx_int_t, std::string_view>> source_variables;
    // Identity headers that the gate set.
    std::vector<const ngx_table_elt_t*> identity_lines;
    // What each source gave; of use during extraction only.
    std::vector<policy::Candidate> candidates;

    void clear() noexcept {
        stripped.clear();
        rewritten_cookies.clear();
        source_variables.clear();
        identity_lines.clear();
        candidates.clear();
    }
};

// A worker uses a record again when its request has ended: lists keep their room, so that a warm
// worker takes no memory for them.
class Record : public RequestState {
public:
    Record() noexcept;
    Record(const Record&) = delete;
    Record& operator=(const Record&) = delete;
    ~Record();

    // The record of r's main request; nullptr before hook 1 made it, and until find() after an
    // internal redirect.
    static Record* known(ngx_http_request_t* r) noexcept {
        return static_cast<Record*>(ngx_http_get_module_ctx(r->main, ngx_http_gate_module));
    }
    // The same, found after a redirect too.
    static Record* find(ngx_http_request_t* r) noexcept {
        if (Record* const record = known(r)) return record;
        return r->main->pool->cleanup != nullptr ? found_by_pool(r->main) : nullptr;
    }
    // The same, made when there is none. Throws bad_alloc.
    static Record& of(ngx_http_request_t* r) {
        Record* const found = find(r);
        return found != nullptr ? *found : make(r->main);
    }

    ngx_http_request_t* main() const noexcept { return main_; }
    std::pmr::memory_resource* memory() noexcept { return &memory_; }

    const policy::Principal* principal() { return identity.principal(&memory_); }

    Lists& lists() noexcept {
        lists_used = true;
        return lists_;
    }

    // What the request waits for; nullptr: nothing of the kind.
    PendingDecision* pending() noexcept { return waits ? pending_.get() : nullptr; }
    PendingLookup* lookup() noexcept { return waits ? lookup_.get() : nullptr; }
    PendingDecision& begin_pending(const policy::Request& request, const LocConf& location);
    PendingLookup& begin_lookup(const LocConf& location);
    // Parks `r` until `waiter`, which is one of these, is woken. False: it may not wait.
    bool wait(ngx_http_request_t* r, Waiter& waiter) noexcept;
    // Whether a decision of this location waits; what waits for another's is dropped.
    bool waits_in(const LocConf& location) noexcept;
    void drop_pending() noexcept;

    // Starts a new decision: a refusal that stood until now was final, and is settled.
    void begin_decision() {
        if (decision.status != GateStatus::kNone) drop_decision();
        identity_unsafe = false;
    }
    // A decision that was begun anew lets the request in.
    void pass(const LocConf& location) noexcept {
        decision.status = GateStatus::kPassed;
        decision.location = &location;
    }
    // Sets the decision, and makes a refusal the pending answer of `r`. Returns the HTTP status.
    ngx_int_t refuse(ngx_http_request_t* r, const Decision& refusal) noexcept;
    // Another access module let the request in: the refusal is void.
    void overrule() noexcept;
    // The decision is final: writes the log line of a refusal that has none yet, and counts the
    // request unless an earlier decision has been counted.
    void settle() {
        if (!settled) settle_now();
    }
    // One that lets the request in has nothing to log, and is counted when the request's pool goes.
    bool settles_itself() const noexcept { return decision.status == GateStatus::kPassed; }

private:
    friend class Worker;
    static Record& make(ngx_http_request_t* main);
    static void end(void* record) noexcept;
    static Record* found_by_pool(ngx_http_request_t* main) noexcept;
    // The decision refuses, or would without dry run.
    bool refuses() const noexcept {
        return decision.status == GateStatus::kDenied || decision.status == GateStatus::kError ||
               (decision.status == GateStatus::kDryRun && decision.reason != Reason::kNone);
    }
    void drop_decision();
    void settle_now();
    // Of its kind in this worker.
    void count_first() noexcept;

    // In the list of main's pool.
    ngx_pool_cleanup_t cleanup_;
    ngx_http_request_t* main_ = nullptr;
    PoolMemory memory_{nullptr};
    Record* next_spare_ = nullptr;

public:
    Identity identity;

private:
    Lists lists_;
    std::unique_ptr<PendingDecision> pending_;
    std::unique_ptr<PendingLookup> lookup_;
};

// The refusal that `r` is about to be answered with; nullptr when error_page has taken over or
// there is none.
inline Record* pending_refusal(ngx_http_request_t* r) noexcept {
    return static_cast<Record*>(ngx_http_get_module_ctx(r, ngx_http_gate_filter_module));
}

}  // namespace gate::nginx
