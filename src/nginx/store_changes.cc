#include "nginx/store_changes.h"

#include <algorithm>
#include <charconv>

#include "apikey/key_digest.h"
#include "cache/revocation_item.h"
#include "nginx/bridge.h"
#include "nginx/clock.h"
#include "nginx/conf.h"
#include "policy/record_cache.h"

namespace gate::nginx {

namespace {

// Entries put while the zone's lock is held once: a few microseconds.
constexpr std::size_t kBatch = 32;

std::uint32_t instant_of(std::optional<std::int64_t> seconds) noexcept {
    if (!seconds) return cache::kNeverForgotten;
    return static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(*seconds, 0, cache::kNeverForgotten));
}

}  // namespace

void complain_of(const RedisConf& store, const std::string& what) {
    ngx_str_t name = str(store.name);
    ngx_str_t text = str(what);
    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "gate_revocation redis=%V: %V", &name, &text);
}

void complain_of_item(const RedisConf& store, std::string_view item) {
    complain_of(store, '"' + log_escaped(item, 100) +
                           "\" in its set or stream is nothing that can be revoked; it is left "
                           "out");
}

StoreChanges::StoreChanges(cache::Zone& zone, const MainConf& main, const RedisConf& redis)
    : zone_(zone) {
    for (const auto& live : main.stores) {
        if (live->redis == &redis) stores_.push_back(live.get());
    }
}

bool StoreChanges::add_item(std::string_view text, std::optional<std::int64_t> forget_at) {
    const auto item = cache::parse_item(text);
    if (!item) return false;
    entries_.push_back(
        {cache::digest_revocation(zone_.seed(), item->kind, item->issuer, item->value),
         item->issued_until, instant_of(forget_at)});
    return true;
}

bool StoreChanges::add_scored(std::string_view item, std::string_view score) {
    if (score == "inf") return add_item(item, std::nullopt);
    std::int64_t seconds = 0;
    const char* const end = score.data() + score.size();
    const auto [at, error] = std::from_chars(score.data(), end, seconds);
    return error == std::errc() && at == end && add_item(item, seconds);
}

bool StoreChanges::add(const redis::Change& change) {
    if (change.kind == redis::Change::Kind::kRevoked) {
        return add_item(change.item, change.forget_at);
    }
    if (change.kind != redis::Change::Kind::kKey) return true;
    const auto digest = apikey::parse_digest(change.digest);
    if (!digest) return false;
    for (const LiveStore* live : stores_) keys_.push_back({&live->store, *digest});
    return true;
}

bool StoreChanges::apply() {
    return apply_entries() && apply_keys();
}

bool StoreChanges::apply_entries() {
    const auto now = static_cast<std::uint32_t>(ngx_time());
    while (!entries_.empty()) {
        const auto writer = zone_.try_write();
        if (!writer) return false;
        for (std::size_t i = 0; i < kBatch && !entries_.empty(); ++i) {
            if (entries_.back().expires > now) {
                full_ =
                    zone_.revocations.put(entries_.back(), now) == cache::Revocations::Put::kFull ||
                    full_;
            }
            entries_.pop_back();
        }
    }
    return true;
}

bool StoreChanges::apply_keys() {
    while (!keys_.empty()) {
        if (!policy::forget_record(zone_, keys_.back(), monotonic_seconds())) return false;
        keys_.pop_back();
    }
    return true;
}

}  // namespace gate::nginx
