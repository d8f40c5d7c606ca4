// Counting in the zone what Redis was asked and what became of it.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "cache/zone.h"
#include "nginx/ngx.h"

namespace gate::nginx {

class RedisCounting {
public:
    // Without a zone nothing is counted.
    RedisCounting(std::string name, cache::Zone* zone) : name_(std::move(name)), zone_(zone) {}

    // answered, error, timeout, closed or overflow.
    void question(std::string_view outcome);
    void answer_took(ngx_msec_t milliseconds);
    // up, lost or failed.
    void connection(std::string_view server, std::string_view event);

private:
    void add(const std::string& series);

    std::string name_;
    cache::Zone* zone_;
    std::map<std::string, std::uint32_t, std::less<>> known_;  // series by their text
};

}  // namespace gate::nginx
