// Lines of the log that would come again and again: each text once a minute.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "nginx/ngx.h"

namespace gate::nginx {

class News {
public:
    static constexpr ngx_msec_t kMinute = 60'000;

    // Of different texts no more than `most` a minute, whoever can choose them.
    explicit News(std::size_t most = 1) noexcept : most_(most) {}

    // Whether to write this line now. Throws bad_alloc.
    bool is_news(std::string_view text) {
        if (ngx_current_msec - begun_ >= kMinute) told_.clear();
        if (told_.size() >= most_ || std::ranges::count(told_, text) != 0) return false;
        if (told_.empty()) begun_ = ngx_current_msec;
        told_.emplace_back(text);
        return true;
    }
    // What they were about is over.
    void forget() noexcept { told_.clear(); }
    bool empty() const noexcept { return told_.empty(); }

private:
    std::size_t most_;
    std::vector<std::string> told_;
    ngx_msec_t begun_ = 0;  // when the first of them was written
};

}  // namespace gate::nginx
