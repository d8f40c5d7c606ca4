// Octets of a connection in, replies out. Anything that is not exactly RESP2, and anything larger
// than the limits, breaks the stream for good.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "redis/reply.h"

namespace gate::redis {

struct ReplyLimits {
    std::size_t octets = std::size_t{1} << 20;  // of one reply, as it stands on the wire
    std::size_t elements = 65536;               // of one array
    // Arrays that an array may lie in, 7 at most: the fields of an entry in XREAD's reply lie in 4.
    std::size_t depth = 4;
};

class ReplyReader {
public:
    explicit ReplyReader(ReplyLimits limits = {});
    ~ReplyReader();
    ReplyReader(ReplyReader&&) noexcept;
    ReplyReader& operator=(ReplyReader&&) noexcept;

    // Takes what has arrived. Throws bad_alloc.
    void feed(std::string_view octets);

    enum class Step : std::uint8_t { kReply, kMore, kBroken };
    // The next whole reply. kBroken: see problem(); nothing can be read any more. Throws bad_alloc,
    // and gives the same reply with the next call.
    Step next(Reply& reply);
    // For people: "an array of 2147483647 elements; at most 65536 are taken".
    const std::string& problem() const noexcept;
    // Octets that have arrived and are no part of a reply yet.
    std::size_t pending() const noexcept;
    // Forgets all that has arrived, and what broke the stream: for the next connection.
    void reset() noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace gate::redis
