#include "redis/eviction.h"

#include "base/bytes.h"

namespace gate::redis {

namespace {

constexpr std::size_t kMaxShown = 40;  // octets of a policy's name

// The value of a line "name:value".
std::optional<std::string_view> value_of(std::string_view info, std::string_view name) {
    while (!info.empty()) {
        std::string_view line = info.substr(0, info.find('\n'));
        info.remove_prefix(line.size() < info.size() ? line.size() + 1 : line.size());
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.size() > name.size() && line.starts_with(name) && line[name.size()] == ':') {
            return line.substr(name.size() + 1);
        }
    }
    return std::nullopt;
}

}  // namespace

std::optional<EvictionPolicy> read_eviction_policy(std::string_view info) {
    const auto policy = value_of(info, "maxmemory_policy");
    if (!policy || policy->empty()) return std::nullopt;
    return EvictionPolicy{std::string(*policy), value_of(info, "maxmemory") != "0"};
}

// A name of a later version may mean anything.
EvictionRisk eviction_risk(const EvictionPolicy& policy) noexcept {
    if (policy.name == "noeviction") return EvictionRisk::kNone;
    return policy.name.starts_with("volatile-") ? EvictionRisk::kExpiring : EvictionRisk::kAny;
}

std::string eviction_problem(const EvictionPolicy& policy) {
    const EvictionRisk risk = eviction_risk(policy);
    if (risk == EvictionRisk::kNone) return {};
    return "maxmemory-policy is " + log_escaped(policy.name, kMaxShown) + ": Redis drops " +
           (risk == EvictionRisk::kAny ? "keys and revocations"
                                       : "what has an expiry, such as ids that "
                                         "gate_revocation_lookup asks for,") +
           (policy.bounded ? " when its memory is full" : " as soon as maxmemory is set") +
           "; set noeviction";
}

}  // namespace gate::redis
