// What a stream still has: whether somebody who has read it up to a place can have missed an entry.
#pragma once

#include <optional>

#include "redis/change.h"
#include "redis/reply.h"

namespace gate::redis {

struct StreamInfo {
    StreamId last;                  // that was ever added; 0-0: none
    std::optional<StreamId> first;  // that is still there

    // Whether all that was added behind `place` is there: streams are trimmed from their beginning.
    bool whole_behind(StreamId place) const noexcept {
        return last == place || (first && *first <= place);
    }
};

// The answer to XINFO STREAM for a stream that does not exist.
bool is_no_such_key(const Reply& reply) noexcept;
// From the reply to XINFO STREAM, is_no_such_key() among them; nullopt: it is none.
std::optional<StreamInfo> read_stream_info(const Reply& reply) noexcept;

}  // namespace gate::redis
