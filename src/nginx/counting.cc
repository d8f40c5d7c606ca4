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

const ngx_http_core_srv_conf_t* server_of(const Record& record) noexcept {
    return static_cast<const ngx_http_core_srv_conf_t*>(
        ngx_http_get_module_srv_conf(record.main(), ngx_http_core_module));
}

std::uint32_t find_series(const Record& record, cache::Zone& zone) {
    const policy::CredentialKind kind = record.extraction.credential.kind;
    const void* source = record.identity.source();
    const bool jwt = record.identity.kind() == policy::CredentialKind::kJwt;
    policy::DecisionLabels labels;
    labels.server = view(server_of(record)->server_name);
    labels.credential = policy::name_of(kind);
    if (source != nullptr && jwt) labels.issuer = static_cast<const jose::Issuer*>(source)->name;
    if (source != nullptr && !jwt)
        labels.store = static_cast<const policy::KeyStore*>(source)->name;
    labels.decision = label_of(record.decision.status);
    labels.reason = code(record.decision.reason);
    if (kind != policy::CredentialKind::kNone) labels.cache = label_of(record.cache);
    const std::string text = policy::decision_series(labels);
    const SipDigest digest = siphash128(zone.seed(), bytes_of(text));
    std::uint64_t word = 0;
    ngx_memcpy(&word, digest.data(), sizeof(word));
    return zone.counters.series(word, text);
}

std::size_t place_of(const SeriesMemo::Entry& wanted, std::size_t count) noexcept {
    const auto server = reinterpret_cast<std::uintptr_t>(wanted.server);
    const auto source = reinterpret_cast<std::uintptr_t>(wanted.source);
    const std::uint64_t mixed =
        (server ^ (source << 7) ^ (std::uint64_t{wanted.what} << 24)) * 0x9e3779b97f4a7c15;
    return (mixed >> 40) % count;
}

}  // namespace

void count_decision(const Record& record) {
    const Decision& decision = record.decision;
    cache::Zone* zone = zone_of(main_conf(record.main()));
    if (zone == nullptr || decision.location == nullptr || decision.status == GateStatus::kNone) {
        return;
    }
    const auto octet = [](auto value) { return static_cast<std::uint32_t>(value) & 0xff; };
    SeriesMemo::Entry wanted;
    wanted.server = server_of(record);
    wanted.source = record.identity.source();
    wanted.what = octet(decision.status) | octet(decision.reason) << 8 |
                  octet(record.extraction.credential.kind) << 16 | octet(record.cache) << 24;
    const auto number = static_cast<unsigned>(ngx_worker);
    Worker* const local = worker();
    if (local == nullptr) {
        zone->counters.add(find_series(record, *zone), number);
        return;
    }
    auto& entries = local->series.entries;
    SeriesMemo::Entry& entry = entries[place_of(wanted, entries.size())];
    if (entry.server != wanted.server || entry.source != wanted.source ||
        entry.what != wanted.what) {
        wanted.series = find_series(record, *zone);
        entry = wanted;
    }
    zone->counters.add(entry.series, number);
}

}  // namespace gate::nginx
