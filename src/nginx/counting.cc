#include "nginx/counting.h"

#include "nginx/bridge.h"
#include "nginx/record.h"
#include "nginx/worker.h"
#include "policy/metrics_text.h"

namespace gate::nginx {

namespace {

std::string_view label_of(GateStatus status) noexcept {
    switch (status) {
        case GateStatus::kPassed:
            return "passed";
        case GateStatus::kDenied:
            return "denied";
        case GateStatus::kError:
            return "error";
        case GateStatus::kDryRun:
            return "dry_run";
        case GateStatus::kSkipped:
            return "skipped";
        case GateStatus::kNone:
            break;
    }
    return "";
}

std::string_view label_of(policy::CacheOutcome cache) noexcept {
    switch (cache) {
        case policy::CacheOutcome::kHit:
            return "hit";
        case policy::CacheOutcome::kMiss:
            return "miss";
        case policy::CacheOutcome::kBypass:
            break;
    }
    return "bypass";
}

std::uint32_t find_series(const Record& record, cache::Zone& zone) {
    const policy::CredentialKind kind = record.extraction.credential.kind;
    const void* source = record.identity.source();
    const bool jwt = record.identity.kind() == policy::CredentialKind::kJwt;
    policy::DecisionLabels labels;
    labels.server = view(record.decision.location->server->server_name);
    labels.credential = policy::name_of(kind);
    if (source != nullptr && jwt) labels.issuer = static_cast<const jose::Issuer*>(source)->name;
    if (source != nullptr && !jwt)
        labels.store = static_cast<const policy::KeyStore*>(source)->name;
    labels.decision = label_of(record.decision.status);
    labels.reason = code(record.decision.reason);
    if (kind != policy::CredentialKind::kNone) labels.cache = label_of(record.cache);
    const std::string text = policy::decision_series(labels);
    return zone.counters.series(siphash64(zone.seed(), bytes_of(text)), text);
}

std::uint32_t what_of(const Record& record) noexcept {
    return static_cast<std::uint32_t>(record.decision.status) |
           static_cast<std::uint32_t>(record.decision.reason) << 8 |
           static_cast<std::uint32_t>(record.extraction.credential.kind) << 16 |
           static_cast<std::uint32_t>(record.cache) << 24;
}

std::size_t place_of(const void* server, const void* source, std::uint32_t what) noexcept {
    const auto mixed = reinterpret_cast<std::uintptr_t>(server) ^
                       reinterpret_cast<std::uintptr_t>(source) << 7 ^ what;
    return mixed * 0x9e3779b97f4a7c15 >> (64 - SeriesMemo::kBits);
}

SeriesMemo::Entry& entry_of(SeriesMemo& memo, const SeriesMemo::Entry& wanted) noexcept {
    return memo.entries[place_of(wanted.server, wanted.source, wanted.what)];
}

SeriesMemo::Entry kind_of(const Record& record) noexcept {
    return {.server = record.decision.location->server,
            .source = record.identity.source(),
            .what = what_of(record),
            .place = {}};
}

}  // namespace

[[gnu::hot]] bool count_again(const Record& record) noexcept {
    if (worker() == nullptr) return false;
    const SeriesMemo::Entry wanted = kind_of(record);
    const SeriesMemo::Entry& known = entry_of(worker()->series, wanted);
    if (known.what != wanted.what || known.server != wanted.server ||
        known.source != wanted.source) {
        return false;
    }
    known.place.add();
    return true;
}

void count_decision(const Record& record) {
    if (worker() == nullptr || record.decision.location == nullptr || count_again(record)) return;
    cache::Zone* const zone = zone_of(main_conf(record.main()));
    if (zone == nullptr || record.decision.status == GateStatus::kNone) return;
    SeriesMemo::Entry entry = kind_of(record);
    entry.place =
        zone->counters.place(find_series(record, *zone), static_cast<unsigned>(ngx_worker));
    entry_of(worker()->series, entry) = entry;
    entry.place.add();
}

}  // namespace gate::nginx
