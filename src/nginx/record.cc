#include "nginx/record.h"

#include <new>

#include "nginx/bridge.h"
#include "nginx/pending.h"
#include "nginx/refusal_log.h"
#include "nginx/revocation_lookup.h"
#include "nginx/worker.h"

namespace gate::nginx {

namespace {

// The last record that had no place among the worker's spares.
std::unique_ptr<Record> surplus;

}  // namespace

std::string_view name_of(GateStatus status) noexcept {
    switch (status) {
        case GateStatus::kPassed:
            return "PASSED";
        case GateStatus::kDenied:
            return "DENIED";
        case GateStatus::kDryRun:
            return "DRY_RUN";
        case GateStatus::kSkipped:
            return "SKIPPED";
        case GateStatus::kError:
            return "ERROR";
        case GateStatus::kNone:
            break;
    }
    return "";
}

const policy::Principal* Identity::principal(std::pmr::memory_resource* memory) const {
    if (principal_ || source_ == nullptr) return principal_.get();
    if (key_) {
        const auto* const store = static_cast<const policy::KeyStore*>(source_);
        principal_ = policy::principal_of(policy::VerifiedKey{key_->record, store}, memory);
    } else if (recalled_.identity) {
        principal_ = policy::shared_principal_of(recalled_);
    } else {
        principal_ = policy::principal_of(recalled_, memory);
    }
    return principal_.get();
}

void Identity::set(policy::Verified verified) {
    kind_ = verified.principal->kind;
    source_ = verified.source;
    principal_ = std::move(verified.principal);
}

Record::~Record() = default;

PendingDecision& Record::begin_pending(const policy::Request& request, const LocConf& location) {
    pending_ = std::make_unique<PendingDecision>(request, location);
    waits = true;
    return *pending_;
}

PendingLookup& Record::begin_lookup(const LocConf& location) {
    lookup_ = std::make_unique<PendingLookup>(location);
    waits = true;
    return *lookup_;
}

bool Record::wait(ngx_http_request_t* r, Waiter& waiter) noexcept {
    return waiter.wait(
        r, [](void* record) noexcept { static_cast<Record*>(record)->drop_pending(); }, this);
}

bool Record::waits_in(const LocConf& location) noexcept {
    if (!waits) return false;
    const LocConf* const decides = pending_ ? pending_->location : lookup_->location;
    if (decides != &location) drop_pending();
    return waits;
}

void Record::drop_pending() noexcept {
    waits = false;
    pending_.reset();
    lookup_.reset();
}

Record::Record() noexcept : cleanup_{.handler = end, .data = this, .next = nullptr} {}

void Record::count_first() noexcept {
    guard(main_, Done{}, [&] {
        count_decision(*this);
        return Done{};
    });
}

// Runs while the request's pool still has its memory. The next request finds nothing of this one.
// The pool still reads cleanup_ when this returns.
[[gnu::hot]] void Record::end(void* data) noexcept {
    auto* record = static_cast<Record*>(data);
    if (record->settles_itself() && !record->counted && !count_again(*record)) [[unlikely]]
        record->count_first();
    record->identity.forget();
    if (record->lists_used) record->lists_.clear();
    if (record->waits) record->drop_pending();
    if (worker() == nullptr || !worker()->keep(record)) [[unlikely]]
        surplus.reset(record);
}

// An internal redirect clears the contexts; the pool remembers.
Record* Record::found_by_pool(ngx_http_request_t* main) noexcept {
    for (ngx_pool_cleanup_t* cleanup = main->pool->cleanup; cleanup != nullptr;
         cleanup = cleanup->next) {
        if (cleanup->handler != end) continue;
        auto* record = static_cast<Record*>(cleanup->data);
        ngx_http_set_ctx(main, record, ngx_http_gate_module);
        return record;
    }
    return nullptr;
}

[[gnu::hot]] Record& Record::make(ngx_http_request_t* main) {
    Record* record = worker() != nullptr ? worker()->spare_record() : nullptr;
    if (record == nullptr) record = new Record;
    record->clear();
    record->main_ = main;
    record->memory_.change_to(main->pool);
    record->cleanup_.next = main->pool->cleanup;
    main->pool->cleanup = &record->cleanup_;
    ngx_http_set_ctx(main, record, ngx_http_gate_module);
    return *record;
}

void Record::drop_decision() {
    if (refuses()) settle();
    decision = Decision();
    settled = false;
}

ngx_int_t Record::refuse(ngx_http_request_t* r, const Decision& refusal) noexcept {
    decision = refusal;
    settled = false;
    if (decision.status != GateStatus::kDryRun) {
        ngx_http_set_ctx(r, this, ngx_http_gate_filter_module);
    }
    return decision.http_status;
}

void Record::overrule() noexcept {
    if (decision.status != GateStatus::kDenied && decision.status != GateStatus::kError) return;
    decision.status = GateStatus::kSkipped;
    ngx_http_set_ctx(main_, nullptr, ngx_http_gate_filter_module);
}

void Record::settle_now() {
    settled = true;
    if (refuses()) log_refusal(*this);
    if (counted) return;
    counted = true;
    count_decision(*this);
}

}  // namespace gate::nginx
