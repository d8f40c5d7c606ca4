// What a ReplyReader makes of octets, as a text to compare.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "redis/reply_reader.h"
#include "tests/redis/replies.h"

namespace gate::redis::test {

// What a reader makes of `pieces`: the replies as they came, then what it waits for or breaks on.
inline std::string outcome(const std::vector<std::string_view>& pieces, ReplyLimits limits = {}) {
    ReplyReader reader(limits);
    std::string text;
    for (const std::string_view piece : pieces) {
        reader.feed(piece);
        Reply reply;
        ReplyReader::Step step = reader.next(reply);
        for (; step == ReplyReader::Step::kReply; step = reader.next(reply))
            text += "<" + encode(reply) + ">";
        if (step == ReplyReader::Step::kBroken) return text + " broken: " + reader.problem();
    }
    return text + " waits behind " + std::to_string(reader.pending());
}

inline std::string outcome(std::string_view octets, ReplyLimits limits = {}) {
    return outcome(std::vector{octets}, limits);
}

inline std::string problem(std::string_view octets, ReplyLimits limits = {}) {
    const std::string text = outcome(octets, limits);
    constexpr std::string_view kBroken = " broken: ";
    return text.starts_with(kBroken) ? text.substr(kBroken.size()) : "none: " + text;
}

inline bool good(std::string_view octets, ReplyLimits limits = {}) {
    return outcome(octets, limits) == "<" + std::string(octets) + "> waits behind 0";
}

inline std::string times(std::string_view text, std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += text;
    return out;
}

}  // namespace gate::redis::test
