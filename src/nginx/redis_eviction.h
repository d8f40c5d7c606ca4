// Asking a server, when it is connected, whether it drops what it holds: a line in the log, no
// more.
#pragma once

#include <vector>

#include "nginx/redis_node.h"

namespace gate::nginx {

class EvictionCheck : private redis::Caller {
public:
    EvictionCheck(const RedisConf& conf, RedisNode& node) noexcept : conf_(conf), node_(node) {}

    // Of the workers of a machine the first one asks, once a minute at most.
    void ask();
    bool asks(const RedisNode& node) const noexcept { return &node == &node_; }

private:
    void answered(std::vector<redis::Reply> replies) override;
    void failed(redis::LinkFailure /*failure*/) override { waiting_ = false; }

    const RedisConf& conf_;
    RedisNode& node_;
    ngx_msec_t asked_ = 0;
    bool ever_asked_ = false;
    bool waiting_ = false;
};

}  // namespace gate::nginx
