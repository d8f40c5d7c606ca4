// gate_limit and gate_fail_limit as data: their lines, and what a request's record keeps of them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/siphash.h"
#include "cache/token_bucket.h"
#include "nginx/ngx.h"

namespace gate::nginx {

struct LocConf;

// Whom a bucket belongs to.
struct LimitKey {
    // kClient: the API key, the subject of a token, or the address of who has neither.
    // kUsername: who tries to log in.
    enum class Kind : std::uint8_t { kClient, kAddress, kUsername, kValue };
    Kind kind = Kind::kClient;
    ngx_http_complex_value_t value{};
};

// One line.
struct LimitConf {
    std::string rate_text;
    cache::Rate rate;  // of a variable rate: only the burst, 0 where there is none
    std::optional<ngx_http_complex_value_t> variable_rate;
    std::vector<LimitKey> keys;  // gate_limit: one
    std::string directive;
    std::string where;
    const LocConf* level = nullptr;  // where it was written
    // Stands for the line in keys of buckets: the same after a reload, whatever else has changed.
    SipDigest bucket{};
};

// Shared by all levels that inherit them.
using Limits = std::vector<std::shared_ptr<LimitConf>>;

// What limits said about a request. It is charged once, whatever internal redirects follow.
struct LimitState {
    bool charged = false;
    bool failure_charged = false;
    bool has_quota = false;  // of the bucket with the least left:
    std::uint64_t quota = 0;
    std::uint64_t remaining = 0;
    std::uint64_t reset = 0;        // nanoseconds
    std::uint64_t retry_after = 0;  // nanoseconds; 0: not refused by a limit
};

// "10r/s" with its own number as burst; nullopt for what is no rate.
std::optional<cache::Rate> rate_of(std::string_view text) noexcept;

}  // namespace gate::nginx
