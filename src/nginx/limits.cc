#include "nginx/limits.h"

#include <algorithm>
#include <charconv>

#include "nginx/address.h"
#include "nginx/bridge.h"
#include "nginx/clock.h"
#include "nginx/compat.h"
#include "nginx/extraction.h"

namespace gate::nginx {

namespace {

using cache::Charge;
using cache::Rate;

constexpr std::uint64_t kSecond = 1'000'000'000;

// Interval of a rate that is quicker than any directive can ask for (a key's record may).
constexpr std::uint64_t kQuickest = 1000;

std::uint64_t seconds_up(std::uint64_t nanoseconds) noexcept {
    return (nanoseconds + kSecond - 1) / kSecond;
}

using Text = std::pmr::string;

// An IPv6 client has a whole /64 to choose addresses from; an IPv4 address may come in IPv6 form.
void append_address(Text& text, ngx_http_request_t* r) {
    constexpr std::uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    Bytes address = client_address(r);
    if (address.size() == 16) {
        const bool mapped = std::equal(std::begin(kMapped), std::end(kMapped), address.begin());
        address = mapped ? address.last(4) : address.first(8);
    }
    text.append("address").push_back('\0');
    text.append(reinterpret_cast<const char*>(address.data()), address.size());
}

void append_pair(Text& text, std::string_view kind, std::string_view whose, std::string_view name) {
    text.append(kind).push_back('\0');
    text.append(whose).push_back('\0');
    text.append(name);
}

void append_client(Text& text, ngx_http_request_t* r, Record& record) {
    const policy::Principal* principal = record.principal();
    if (principal == nullptr) return append_address(text, r);
    if (principal->kind == policy::CredentialKind::kKey) {
        return append_pair(text, "key", principal->source_name, principal->key_id());
    }
    if (!principal->subject.empty()) {
        return append_pair(text, "subject", principal->issuer, principal->subject);
    }
    if (!principal->client.empty()) {
        return append_pair(text, "client", principal->issuer, principal->client);
    }
    append_address(text, r);
}

std::string_view evaluate(ngx_http_request_t* r, const ngx_http_complex_value_t& value) {
    ngx_str_t text;
    if (ngx_http_complex_value(r, const_cast<ngx_http_complex_value_t*>(&value), &text) != NGX_OK) {
        throw std::bad_alloc();
    }
    return view(text);
}

// The bucket's key; 0 where nothing is to be counted.
std::uint64_t bucket_of(ngx_http_request_t* r, Record& record, const LimitConf& limit,
                        const LimitKey& key) {
    Text text(record.memory());
    text.append(reinterpret_cast<const char*>(limit.bucket.data()), limit.bucket.size());
    switch (key.kind) {
        case LimitKey::Kind::kClient:
            append_client(text, r, record);
            break;
        case LimitKey::Kind::kAddress:
            append_address(text, r);
            break;
        case LimitKey::Kind::kUsername:
            if (record.username.empty()) return 0;
            append_pair(text, "username", {}, record.username);
            break;
        case LimitKey::Kind::kValue: {
            const std::string_view value = evaluate(r, key.value);
            if (value.empty()) return 0;
            append_pair(text, "value", {}, value);
            break;
        }
    }
    const std::uint64_t bucket = siphash64(zone_of(main_conf(r))->seed(), bytes_of(text));
    return bucket != 0 ? bucket : 1;
}

// A key's record has its own rate, where the line counts clients.
void apply_record(Record& record, const LimitConf& limit, Rate& rate) {
    if (limit.keys.front().kind != LimitKey::Kind::kClient) return;
    const policy::Principal* principal = record.principal();
    if (principal == nullptr || principal->record == nullptr) return;
    const apikey::Record& key = *principal->record;
    if (!key.rate.empty()) {
        rate = rate_of(key.rate).value_or(Rate{.interval = kQuickest, .burst = 1});
        std::from_chars(key.rate.data(), key.rate.data() + key.rate.size(), rate.burst);
    }
    if (key.burst) rate.burst = static_cast<std::uint64_t>(*key.burst);
}

// The line's rate for this request; nullopt where its variable holds none.
std::optional<Rate> rate_for(ngx_http_request_t* r, Record& record, const LimitConf& limit) {
    Rate rate = limit.rate;
    if (limit.variable_rate) {
        const std::string_view text = evaluate(r, *limit.variable_rate);
        const auto found = rate_of(text);
        if (!found) {
            const std::string line = limit.directive + " in " + limit.where + ": \"" +
                                     log_escaped(text, 64) +
                                     "\" is no rate; the request is refused";
            const ngx_str_t message = str(line);
            ngx_log_error(NGX_LOG_ERR, r->connection->log, 0, "%V", &message);
            return std::nullopt;
        }
        rate.interval = found->interval;
        if (rate.burst == 0) rate.burst = found->burst;
    }
    apply_record(record, limit, rate);
    return rate;
}

// The answer tells of the bucket with the least left.
void note_quota(LimitState& state, const Rate& rate, const Charge& charge) {
    if (state.has_quota && charge.passed && state.remaining <= charge.remaining) return;
    state.has_quota = true;
    state.quota = rate.burst;
    state.remaining = charge.remaining;
    state.reset = charge.reset;
}

// What has been taken for a request so far.
struct Taken {
    std::uint64_t bucket;
    Rate rate;
};

Reason refuse_rate(Record& record, std::uint64_t retry_after) {
    record.limits.retry_after = std::max<std::uint64_t>(retry_after, 1);
    return Reason::kRateLimited;
}

// Asks all of this client's failure buckets; true where one has no token, and retry_after says when
// all will have one.
template <class Ask>
bool ask_failure_buckets(ngx_http_request_t* r, Record& record, const LocConf& location, Ask ask) {
    cache::TokenBuckets& buckets = zone_of(main_conf(r))->buckets;
    const std::uint64_t now = monotonic_nanoseconds();
    bool empty = false;
    for (const auto& limit : *location.fail_limits) {
        for (const LimitKey& key : limit->keys) {
            const std::uint64_t bucket = bucket_of(r, record, *limit, key);
            if (bucket == 0) continue;
            const auto rate = rate_for(r, record, *limit);
            const Charge charge = rate ? (buckets.*ask)(bucket, *rate, now) : Charge{};
            if (charge.passed) continue;
            empty = true;
            record.limits.retry_after =
                std::max({record.limits.retry_after, charge.retry_after, std::uint64_t{1}});
        }
    }
    return empty;
}

}  // namespace

Reason charge_all(ngx_http_request_t* r, Record& record, const LocConf& location) {
    record.limits.charged = true;
    cache::TokenBuckets& buckets = zone_of(main_conf(r))->buckets;
    const std::uint64_t now = monotonic_nanoseconds();
    std::pmr::vector<Taken> taken(record.memory());
    for (const auto& limit : *location.limits) {
        const std::uint64_t bucket = bucket_of(r, record, *limit, limit->keys.front());
        if (bucket == 0) continue;
        const auto rate = rate_for(r, record, *limit);
        const Charge charge = rate ? buckets.charge(bucket, *rate, now) : Charge{};
        if (rate) note_quota(record.limits, *rate, charge);
        if (charge.passed) {
            taken.push_back({bucket, *rate});
            continue;
        }
        for (const Taken& one : taken) buckets.refund(one.bucket, one.rate, now);
        return refuse_rate(record, charge.retry_after);
    }
    return Reason::kNone;
}

bool failures_exhausted(ngx_http_request_t* r, Record& record, const LocConf& location) {
    if (location.fail_limits->empty() || record.limits.failure_charged) return false;
    const bool empty = ask_failure_buckets(r, record, location, &cache::TokenBuckets::look);
    record.limits.failure_charged = empty;
    return empty;
}

Reason charge_failure(ngx_http_request_t* r, Record& record, const LocConf& location,
                      Reason reason) {
    const RefusalClass refusal = refusal_class(reason);
    const bool bad_credential =
        refusal == RefusalClass::kInvalidToken &&
        record.extraction.credential.kind != policy::CredentialKind::kNone &&
        !record.identity.known();
    const bool attempt = bad_credential || refusal == RefusalClass::kLoginFailed;
    if (!attempt || location.fail_limits->empty() || record.limits.failure_charged) return reason;
    record.limits.failure_charged = true;
    const bool empty = ask_failure_buckets(r, record, location, &cache::TokenBuckets::charge);
    return empty ? Reason::kTooManyFailures : reason;
}

void push_limit_headers(ngx_http_request_t* r, const LimitState& limits) {
    const auto push = [r](const char* name, std::uint64_t value) {
        const ngx_str_t text = str(copy(r->pool, std::to_string(value)));
        if (add_response_header(r, name, text) == nullptr) throw std::bad_alloc();
    };
    if (limits.has_quota) {
        push("RateLimit-Limit", limits.quota);
        push("RateLimit-Remaining", limits.remaining);
        push("RateLimit-Reset", seconds_up(limits.reset));
    }
    if (limits.retry_after != 0) push("Retry-After", seconds_up(limits.retry_after));
}

}  // namespace gate::nginx
