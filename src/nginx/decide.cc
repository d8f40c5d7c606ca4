#include "nginx/decide.h"

#include <algorithm>

#include "nginx/address.h"
#include "nginx/bridge.h"
#include "nginx/journal_feed.h"
#include "nginx/limits.h"
#include "nginx/worker.h"

namespace gate::nginx {

namespace {

using policy::Denied;

Denied denied(Reason reason) {
    return {.reason = reason, .status = 0, .scopes = {}, .where = {}};
}

// A file-backed store knows its answer at once.
policy::Answer answer(const policy::Need& need, const LocConf& location) {
    for (const LiveStore* live : location.gate->stores) {
        if (&live->store != need.store) continue;
        if (live->table == nullptr) break;
        return {.record = live->table->find(need.digest),
                .failure = Reason::kNone,
                .found_by_digest = true};
    }
    return {.record = nullptr, .failure = Reason::kStoreUnavailable, .found_by_digest = false};
}

// What the engine has to do itself, now that nobody knows the credential.
[[gnu::noinline]] Reason verify(ngx_http_request_t* r, Record& record, const LocConf& location,
                                policy::Authentication& authentication,
                                std::optional<policy::Need> known) {
    // A key costs one lookup; only what needs a signature is refused unseen.
    if (record.extraction.credential.kind == policy::CredentialKind::kJwt &&
        failures_exhausted(r, record, location)) {
        return Reason::kTooManyFailures;
    }
    policy::Outcome outcome = known ? policy::Outcome(*known) : authentication.start();
    while (auto* need = std::get_if<policy::Need>(&outcome)) {
        outcome = authentication.resume(answer(*need, location));
    }
    record.cache = authentication.cache();
    if (auto* key = std::get_if<policy::VerifiedKey>(&outcome)) {
        record.identity.set_key(key->record, key->store);
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

Reason authenticate(ngx_http_request_t* r, Record& record, const LocConf& location,
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
    return verify(r, record, location, authentication, lookup);
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
        if (!policy::recall_again(zone, recent, credential.text, location.gate->trusted, ngx_time(),
                                  record.identity.recalled())) {
            return false;
        }
        record.identity.set_recalled();
    } else {
        // With several stores the longest prefix decides, which is for the engine to find out.
        const auto& stores = location.gate->key_stores;
        if (credential.kind != policy::CredentialKind::kKey || stores.size() != 1) return false;
        const auto* const known = policy::recall_key_again(zone, recent, credential.text,
                                                           stores.front()->state, ngx_time());
        if (known == nullptr) return false;
        record.identity.set_key(*known, stores.front());
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

// Verifies the credential, unless an earlier location of this request did.
Reason identify(ngx_http_request_t* r, Record& record, const LocConf& location) {
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

}  // namespace

[[gnu::hot]] bool passes_again(ngx_http_request_t* r, Record& record, const LocConf& location) {
#if defined(GATE_FAULT_ALLOW_ALL) || defined(GATE_FAULT_DENY_ALL)
    return false;
#endif
    const MainConf& main = main_conf(r);
    // Somebody is known without a decision where memory ran out in between.
    if (!location.only_identifies || r->method == NGX_HTTP_OPTIONS || !main.zone ||
        record.decision.status != GateStatus::kNone || record.variables_read ||
        record.identity.known() || record.extraction.location != &location ||
        record.extraction.problem != Reason::kNone) {
        return false;
    }
    return is_known_again(record, location, *main.zone);
}

Result<policy::Allow, Denied> decide(ngx_http_request_t* r, Record& record,
                                     const LocConf& location) {
#if defined(GATE_FAULT_ALLOW_ALL)
    return policy::Allow{};
#elif defined(GATE_FAULT_DENY_ALL)
    return fail(denied(Reason::kInternal));
#endif
    Reason reason = identify(r, record, location);
    if (record.variables_read) forget_gate_variables(r);
    if (reason != Reason::kNone) return fail(denied(reason));
    auto allowed = authorize(r, &record.identity, location);
    if (!allowed) return allowed;
    reason = charge_limits(r, record, location);
    if (reason != Reason::kNone) return fail(denied(reason));
    return allowed;
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
