// Finds the end of a reply, octet by octet and exactly: hiredis, which makes the tree of it, takes
// strings without their line end, lines with a lone CR or LF in them, and waits for whatever length
// a server announces.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "redis/reply_reader.h"

namespace gate::redis {

class ReplyScanner {
public:
    explicit ReplyScanner(const ReplyLimits& limits) noexcept;

    enum class Step : std::uint8_t { kWhole, kMore, kBroken };
    // `octets` begins with the reply and holds what has arrived; with each call more of the same.
    // What was looked at once is not looked at again. Throws bad_alloc, and then goes on from
    // there.
    Step scan(std::string_view octets);
    // Of the whole reply.
    std::size_t size() const noexcept { return position_; }
    // For people; see ReplyReader.
    const std::string& problem() const noexcept { return problem_; }
    // For the next reply, also after kBroken.
    void restart() noexcept;

private:
    static constexpr std::size_t kMaxDepth = 7;  // hiredis refuses an array that lies in 8

    enum class State : std::uint8_t {
        kType,
        kText,      // of a status or an error
        kNumber,    // an integer, or a length
        kLineFeed,  // behind the CR of either
        kData,      // of a string
        kDataReturn,
        kDataFeed,
        kWhole,
        kBroken,
    };

    void take(std::string_view octets);
    void take_type(char type);
    void take_text(std::string_view octets);
    void take_digit(char c);
    void take_line_feed(char c);
    void end_string_head();
    void end_array_head();
    void end_item() noexcept;
    void break_with(std::string problem) noexcept;

    ReplyLimits limits_;
    State state_ = State::kType;
    char type_ = 0;                                     // of the item that is being read
    bool minus_ = false;                                // the number's sign
    std::size_t digits_ = 0;                            // of the number so far
    std::uint64_t magnitude_ = 0;                       // of the number so far
    std::size_t data_ = 0;                              // octets of the string that are missing
    std::size_t position_ = 0;                          // octets that were looked at
    std::size_t depth_ = 0;                             // arrays that are open
    std::array<std::size_t, kMaxDepth + 1> missing_{};  // items of each
    std::string problem_;
};

}  // namespace gate::redis
