// What gate_metrics says of gate_redis blocks: how long answers take, how many questions wait, and
// which store it is. The zone counts answers by the least bound that they meet, and adds up
// microseconds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gate::policy {

struct MetricsInput;

// The `le` of the bucket that an answer belongs to: "0.0005" .. "5", or "+Inf".
std::string_view answer_bucket(std::uint64_t microseconds) noexcept;

std::string redis_answer_series(std::string_view redis, std::string_view bucket);
std::string redis_answer_time_series(std::string_view redis);

void append_redis(std::string& out, const MetricsInput& input);
std::string redis_json(const MetricsInput& input);

}  // namespace gate::policy
