#include "nginx/decide.h"

#include <algorithm>

#include "nginx/address.h"
#include "nginx/bridge.h"
#include "nginx/clock.h"
#include "nginx/journal_feed.h"
#include "nginx/last_use.h"
#include "nginx/limits.h"
#include "nginx/pending.h"
#include "nginx/revocation_lookup.h"
#include "nginx/worker.h"

namespace gate::nginx {

namespace {

using policy::Answer;
using policy::Denied;

Denied denied(Reason reason) {
    return {.reason = reason, .status = 0, .scopes = {}, .where = {}};
}

Result<policy::Allow, Denied> refused(Reason reason) {
    return fail(denied(reason));
}

const LiveStore* find_store(const policy::KeyStore* store, const LocConf& location) noexcept {
    for (const LiveStore* live : location.gate->stores) {
        if (&live->store == store) return live;
    }
    return nullptr;
}

Answer unknown(Reason reason) {
    return {.record = nullptr, .failure = reason, .found_by_digest = false};
}

// What is known at once: all that files say, and what Redis said a short while ago. nullopt: Redis
// has to be asked.
std::optional<Answer> answer(const policy::Need& need, const LiveStore* live, cache::Zone* zone) {
    if (live == nullptr) return unknown(Reason::kStoreUnavailable);
    if (live->redis != nullptr) {
        if (zone == nullptr) return std::nullopt;
        const Seconds since =
            live->changes != nullptr
                ? static_cast<Seconds>(live->changes->records_since.load(std::memory_order_relaxed))
                : 0;
        return policy::recall_record(*zone, need, monotonic_seconds(), since);
    }
    if (live->table == nullptr) return unknown(Reason::kStoreUnavailable);
    return Answer{.record = live->table->find(need.digest),
                  .failure = Reason::kNone,
                  .found_by_digest = true};
}

// Goes on as long as answers are known at once; the Need that is left is one for Redis.
void run(policy::Outcome& outcome, policy::Authentication& authentication,
         const policy::Request& request, const LocConf& location) {
    while (auto* need = std::get_if<policy::Need>(&outcome)) {
        const auto known = answer(*need, find_store(need->store, location), request.zone);
        if (!known) return;
        outcome = authentication.resume(*known);
    }
}

// What an outcome that is none to wait for means for the request.
Reason conclude(Record& record, const LocConf& location,
                const policy::Authentication& authentication, policy::Outcome& outcome) {
    record.cache = authentication.cache();
    if (auto* key = std::get_if<policy::VerifiedKey>(&outcome)) {
        record.identity.set_key(make_local<policy::SharedRecord>(key->record), key->store);
        // Who passes again within the second is not noted anew.
        if (const LiveStore* live = find_store(key->store, location)) note_use(*live, *key->record);
    } else if (auto* verified = std::get_if<policy::Verified>(&outcome)) {
        record.identity.set(std::move(*verified));
    } else if (auto* deny = std::get_if<policy::Deny>(&outcome)) {
        const bool absent = deny->reason == Reason::kNoCredential && record.extraction.cross_site;
        return absent ? Reason::kCrossSite : deny->reason;
    } else if (!std::holds_alternative<policy::Anonymous>(outcome)) {
        return Reason::kInternal;
    }
    return Reason::kNone;
}

// Asks Redis for what `outcome` needs; nullopt: the request waits for the answer. Otherwise the
// outcome is one to conclude from.
std::optional<policy::Outcome> look_up_need(ngx_http_request_t* r, Record& record,
                                            PendingDecision& pending, policy::Outcome outcome) {
    while (auto* need = std::get_if<policy::Need>(&outcome)) {
        const LiveStore* const live = find_store(need->store, *pending.location);
        auto known = answer(*need, live, pending.request.zone);
        if (!known) {
            const auto failure =
                look_up(*live, *need, pending.request.zone, pending.ticket, pending.waiter);
            if (!failure) {
                if (record.wait(r, pending.waiter)) return std::nullopt;
                pending.ticket.clear();
            }
            known = unknown(failure.value_or(Reason::kStoreUnavailable));
        }
        outcome = pending.authentication.resume(*known);
    }
    return outcome;
}

// What the engine has to do itself, now that nobody knows the credential. nullopt: the request
// waits.
[[gnu::noinline]] std::optional<Reason> verify(ngx_http_request_t* r, Record& record,
                                               const LocConf& location,
                                               const policy::Request& request,
                                               policy::Authentication& authentication,
                                               std::optional<policy::Need> known) {
    // A key costs one lookup; only what needs a signature is refused unseen.
    if (record.extraction.credential.kind == policy::CredentialKind::kJwt &&
        failures_exhausted(r, record, location)) {
        return Reason::kTooManyFailures;
    }
    policy::Outcome outcome = known ? policy::Outcome(*known) : authentication.start();
    run(outcome, authentication, request, location);
    if (!std::holds_alternative<policy::Need>(outcome)) {
        return conclude(record, location, authentication, outcome);
    }
    // Begun anew in memory that lasts as long as the request waits.
    PendingDecision& pending = record.begin_pending(request, location);
    const auto again = pending.authentication.known_key();
    auto decided = look_up_need(r, record, pending,
                                again ? policy::Outcome(*again) : pending.authentication.start());
    if (!decided) return std::nullopt;
    const Reason reason = conclude(record, *pending.location, pending.authentication, *decided);
    record.drop_pending();
    return reason;
}

// A request that waits was asked again, or has been woken. nullopt: it goes on waiting.
std::optional<Reason> resume(ngx_http_request_t* r, Record& record) {
    PendingDecision& pending = *record.pending();
    if (!pending.ticket.answer()) return std::nullopt;
    pending.waiter.leave();
    // Time has passed, and what is revoked may be another thing than it was.
    pending.request.now = ngx_time();
    const MainConf& main = main_conf(r);
    pending.request.revocations_unknown =
        main.zone ? revocations_unknown(*main.zone) : Reason::kNone;
    const Answer answer = *pending.ticket.answer();
    auto decided = look_up_need(r, record, pending, pending.authentication.resume(answer));
    if (!decided) return std::nullopt;
    const Reason reason = conclude(record, *pending.location, pending.authentication, *decided);
    record.drop_pending();
    return reason;
}

std::optional<Reason> authenticate(ngx_http_request_t* r, Record& record, const LocConf& location,
                                   Reason revocations_unknown) {
    const policy::CredentialKind kind = record.extraction.credential.kind;
    const policy::Request request{.credential = record.extraction.credential,
                                  .issuers = location.gate->trusted,
                                  .stores = location.gate->key_stores,
                                  .optional = location.gate->optional,
                                  .max_size = *location.max_token_size,
                                  .client_address = client_address(r),
                                  .now = ngx_time(),
                                  .headers = worker() != nullptr ? &worker()->headers : nullptr,
                                  .zone = zone_of(main_conf(r)),
                                  .recent = worker() != nullptr ? &worker()->recent : nullptr,
                                  .revocations_unknown = revocations_unknown,
                                  .memory = record.memory()};
    policy::Authentication authentication(request);
    std::optional<policy::Need> lookup;
    if (kind == policy::CredentialKind::kJwt) {
        const auto known = authentication.known_token(record.identity.recalled());
        record.cache = authentication.cache();
        if (known == Reason::kNone) {
            record.identity.set_recalled();
        } else {
            record.identity.forget_recalled();
        }
        if (known) return *known;
    } else if (kind == policy::CredentialKind::kKey) {
        lookup = authentication.known_key();
    }
    return verify(r, record, location, request, authentication, lookup);
}

// Who came within this second costs little more than to see that it is the same, while it is known
// what is revoked. Fills in record.identity then; false: somebody has to ask the zone.
[[gnu::always_inline]] inline bool is_known_again(Record& record, const LocConf& location,
                                                  const ZoneConf& conf) {
    const policy::Credential& credential = record.extraction.credential;
    if (worker() == nullptr || credential.text.size() > *location.max_token_size ||
        revocations_unknown(conf) != Reason::kNone) {
        return false;
    }
    const cache::Zone& zone = *conf.zone;
    const policy::RecentVerdicts& recent = worker()->recent;
    if (credential.kind == policy::CredentialKind::kJwt) {
        const bool lone = location.lone_issuer != nullptr;
        const std::span issuers =
            lone ? std::span(&location.lone_issuer, 1) : std::span(location.gate->trusted);
        if (!policy::recall_again(zone, recent, credential.text, issuers, ngx_time(),
                                  record.identity.recalled())) {
            return false;
        }
        record.identity.set_recalled();
    } else {
        // With several stores the longest prefix decides, which is for the engine to find out.
        const policy::KeyStore* const store = location.lone_store;
        if (credential.kind != policy::CredentialKind::kKey || store == nullptr) return false;
        const auto* const known =
            policy::recall_key_again(zone, recent, credential.text, store->state, ngx_time());
        if (known == nullptr) return false;
        record.identity.set_key(*known, store);
    }
    record.verified_text = credential.text;
    record.cache = policy::CacheOutcome::kHit;
    return true;
}

bool accepts(const LocConf& location, const Identity& identity) {
    const GateConf& gate = *location.gate;
    return std::ranges::any_of(
               gate.issuers,
               [&](const auto* live) { return &live->issuer == identity.source(); }) ||
           std::ranges::any_of(gate.stores,
                               [&](const auto* live) { return &live->store == identity.source(); });
}

[[gnu::noinline]] Result<policy::Allow, Denied> check_requirements(ngx_http_request_t* r,
                                                                   const Identity* identity,
                                                                   const LocConf& location) {
    const std::size_t count = location.requires_.size();
    PoolMemory memory(r->pool);
    std::pmr::vector<policy::RuleValue> values(&memory);
    std::pmr::vector<policy::RuleLine> lines(&memory);
    std::size_t value_count = 0;
    for (const RequireConf& conf : location.requires_) value_count += conf.values.size();
    values.reserve(value_count);  // lines hold views of it
    lines.reserve(count);
    for (const RequireConf& conf : location.requires_) {
        const std::size_t first = values.size();
        for (const Template& value : conf.values) values.push_back(value.evaluate(r));
        lines.push_back({conf.requirement.get(), std::span(values).subspan(first)});
    }
    const policy::Principal* principal =
        identity != nullptr ? identity->principal(Record::of(r).memory()) : nullptr;
    return policy::authorize(principal, {.lines = lines, .method = view(r->main->method_name)});
}

Result<policy::Allow, Denied> authorize(ngx_http_request_t* r, const Identity* identity,
                                        const LocConf& location) {
    if (location.requires_.empty()) return policy::Allow{};
    return check_requirements(r, identity, location);
}

// Verifies the credential, unless an earlier location of this request did. nullopt: the request
// waits for an answer.
std::optional<Reason> identify(ngx_http_request_t* r, Record& record, const LocConf& location) {
    if (record.pending() != nullptr) return resume(r, record);
    const Extraction& extraction = record.extraction;
    if (extraction.problem != Reason::kNone) return extraction.problem;
    if (record.identity.known() &&
        record.verified_text.data() == extraction.credential.text.data() &&
        record.verified_text.size() == extraction.credential.text.size() &&
        accepts(location, record.identity)) {
        return Reason::kNone;
    }
    record.identity.forget();
    const MainConf& main = main_conf(r);
    if (main.zone && is_known_again(record, location, *main.zone)) return Reason::kNone;
    record.verified_text = extraction.credential.text;
    return authenticate(r, record, location,
                        main.zone ? revocations_unknown(*main.zone) : Reason::kNone);
}

void forget_gate_variables(ngx_http_request_t* r) {
    for (ngx_uint_t index : main_conf(r).gate_variables) forget_variable(r, index);
}

[[maybe_unused]] std::optional<Result<policy::Allow, Denied>> judge(ngx_http_request_t* r,
                                                                    Record& record,
                                                                    const LocConf& location) {
    if (record.lookup() == nullptr) {
        const auto identified = identify(r, record, location);
        if (!identified) return std::nullopt;
        if (record.variables_read) forget_gate_variables(r);
        if (*identified != Reason::kNone) return refused(*identified);
        auto allowed = authorize(r, &record.identity, location);
        if (!allowed) return allowed;
    }
    if (!location.lookups->empty() && record.identity.known()) {
        const auto found = look_for_revocation(r, record, location);
        if (!found) return std::nullopt;
        record.drop_pending();
        if (*found != Reason::kNone) return refused(*found);
    }
    const Reason charged = charge_limits(r, record, location);
    if (charged != Reason::kNone) return refused(charged);
    return Result<policy::Allow, Denied>(policy::Allow{});
}

}  // namespace

[[gnu::hot]] bool passes_again(ngx_http_request_t* r, Record& record, const LocConf& location) {
#if defined(GATE_FAULT_ALLOW_ALL) || defined(GATE_FAULT_DENY_ALL) || defined(GATE_FAULT_FLIP)
    return false;
#endif
    // Somebody is known without a decision where memory ran out in between.
    if (!location.only_identifies || r->method == NGX_HTTP_OPTIONS || location.zone == nullptr ||
        record.decision.status != GateStatus::kNone || record.variables_read ||
        record.identity.known() || record.extraction.location != &location ||
        record.extraction.problem != Reason::kNone) {
        return false;
    }
    return is_known_again(record, location, *location.zone);
}

std::optional<Result<policy::Allow, Denied>> decide(ngx_http_request_t* r, Record& record,
                                                    const LocConf& location) {
#if defined(GATE_FAULT_ALLOW_ALL)
    return Result<policy::Allow, Denied>(policy::Allow{});
#elif defined(GATE_FAULT_DENY_ALL)
    return refused(Reason::kInternal);
#elif defined(GATE_FAULT_FLIP)
    auto decision = judge(r, record, location);
    if (!decision || ngx_random() % 100'000 != 0) return decision;
    return *decision ? refused(Reason::kRevoked) : Result<policy::Allow, Denied>(policy::Allow{});
#else
    return judge(r, record, location);
#endif
}

Result<policy::Allow, Denied> meets(ngx_http_request_t* r, const Identity* identity,
                                    const LocConf& location) {
    if (identity != nullptr && !(identity->known() && accepts(location, *identity))) {
        identity = nullptr;
    }
    if (identity == nullptr && !location.gate->optional) return fail(denied(Reason::kSubrequest));
    return authorize(r, identity, location);
}

int status_of(const Denied& denied) noexcept {
    return denied.status != 0 ? denied.status : gate::status_of(refusal_class(denied.reason));
}

}  // namespace gate::nginx
