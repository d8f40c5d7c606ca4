// Telling all workers what this one knows of a Redis server, and counting what it was asked and
// what became of it: in the zone where there is one.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "cache/zone.h"
#include "nginx/ngx.h"
#include "redis/endpoint.h"

namespace gate::nginx {

class RedisCounting {
public:
    // Without a zone nothing is counted, and what is noted stays in this worker.
    RedisCounting(std::string name, cache::Zone* zone);
    RedisCounting(const RedisCounting&) = delete;
    RedisCounting& operator=(const RedisCounting&) = delete;

    // Where memory is short nothing is counted: who waits for an answer comes first.
    // answered, error, timeout, closed or overflow.
    void question(std::string_view outcome) noexcept;
    void answer_took(std::uint64_t microseconds) noexcept;
    // up, lost or failed.
    void connection(const redis::Endpoint& server, std::string_view event) noexcept;

    // Questions of this worker that wait now.
    void waiting(std::size_t count) noexcept;
    // What the store's epoch is; empty: it has none.
    void epoch(std::string_view text) noexcept;
    // The block is in force in this worker.
    void present() noexcept;
    // A connection is there, on which something came last at that instant of ngx_current_msec.
    void ready(ngx_msec_t heard) noexcept;

    const cache::RedisState& state() const noexcept { return *state_; }

private:
    template <class Text>
    void add(std::string_view word, Text&& text, std::uint64_t n = 1) noexcept;

    std::string name_;
    cache::Zone* zone_;
    cache::RedisState own_{};  // where the zone has no place, or there is none
    cache::RedisState* state_ = &own_;
    std::string epoch_;                                        // that state_ tells
    std::map<std::string, std::uint32_t, std::less<>> known_;  // series by their words
};

// What is known of a server by its block's name; nullptr: nothing.
const cache::RedisState* redis_state(cache::Zone& zone, std::string_view name) noexcept;

}  // namespace gate::nginx
