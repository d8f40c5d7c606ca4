// Counting in the zone what Redis was asked and what became of it.
#pragma once

#include <array>
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
    // Without a zone nothing is counted.
    RedisCounting(std::string name, cache::Zone* zone) : name_(std::move(name)), zone_(zone) {}

    // Where memory is short nothing is counted: who waits for an answer comes first.
    // answered, error, timeout, closed or overflow.
    void question(std::string_view outcome) noexcept;
    void answer_took(ngx_msec_t milliseconds) noexcept;
    // up, lost or failed.
    void connection(const redis::Endpoint& server, std::string_view event) noexcept;

private:
    template <class Series>
    void add(Series&& series) noexcept;

    std::string name_;
    cache::Zone* zone_;
    std::map<std::string, std::uint32_t, std::less<>> known_;  // series by their text
};

}  // namespace gate::nginx
