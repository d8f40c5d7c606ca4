// Many callers share one connection: their commands go out one behind the other, and each gets its
// own replies back, by their order alone. No I/O and no clock: whoever owns the connection moves
// the octets and says when it has failed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "redis/reply.h"
#include "redis/reply_reader.h"

namespace gate::redis {

enum class LinkFailure : std::uint8_t {
    kClosed,    // the connection was closed, or could not be made
    kTimeout,   // no answer within the deadline
    kProtocol,  // what came is no answer to what was asked
    kOverflow,  // too many are waiting already
};

// Whoever waits for answers. A call may send again, and may end other callers' waiting; it may not
// destroy the Pipeline.
class Caller {
public:
    // All replies to one exchange, in the order of its commands. Error replies are among them.
    virtual void answered(std::vector<Reply> replies) = 0;
    virtual void failed(LinkFailure failure) = 0;

protected:
    ~Caller() = default;
};

class Pipeline {
public:
    explicit Pipeline(ReplyLimits limits = {}) : reader_(limits) {}
    Pipeline(const Pipeline&) = delete;
    Pipeline& operator=(const Pipeline&) = delete;
    ~Pipeline();

    // One or several commands, at least one, whose replies belong together; the caller must stay
    // until one of its functions is called, or leave by forget(). Who sends twice is called twice.
    // `sent_at`: any clock, see oldest(). Throws bad_alloc, and then nothing was sent.
    void send(Caller& caller, std::uint64_t sent_at,
              std::initializer_list<std::initializer_list<std::string_view>> commands);
    // The same for commands that append_command() has written, `count` of them.
    void send(Caller& caller, std::uint64_t sent_at, std::string_view commands, std::size_t count);
    // The caller is gone: its replies are dropped when they come.
    void forget(const Caller& caller) noexcept;

    // What is to be written. wrote() takes off what the connection accepted, and wipes it: it may
    // have been a login. Only what was written can be answered.
    std::string_view output() const noexcept;
    void wrote(std::size_t octets) noexcept;

    // Takes what has arrived and calls whoever has all its replies. False: the stream is broken (a
    // malformed or surplus reply); see problem(), and call fail().
    bool receive(std::string_view octets);
    // From within an answer: what came behind it does not count. receive() returns, and takes
    // nothing more until fail().
    void stop() noexcept { stopped_ = true; }
    // Calls everybody who waits, and forgets all that was sent and read: for the next connection.
    void fail(LinkFailure failure);

    // Exchanges that wait for replies, forgotten ones too.
    std::size_t waiting() const noexcept { return exchanges_.size(); }
    // sent_at of the one that waits longest. waiting() must not be 0.
    std::uint64_t oldest() const noexcept { return exchanges_.front().sent_at; }
    // For people: "a reply that nobody asked for". Stays over fail(), until the next receive().
    const std::string& problem() const noexcept { return problem_; }

private:
    struct Exchange {
        Caller* caller = nullptr;  // nullptr: gone
        std::uint64_t sent_at = 0;
        std::uint64_t begin = 0;  // octets of output in front of it, since the Pipeline was made
        std::size_t missing = 0;  // replies
        std::vector<Reply> replies;
        LinkFailure failure = LinkFailure::kClosed;  // in failing_
    };

    void make_room(std::size_t more);
    void clear_output() noexcept;
    bool break_with(std::string problem) noexcept;

    ReplyReader reader_;
    // Lists, because moving an exchange from one to the other cannot fail.
    std::list<Exchange> exchanges_;
    std::list<Exchange> failing_;  // whom fail() has still to call
    std::string output_;
    std::size_t written_ = 0;  // of output_
    std::uint64_t taken_ = 0;  // octets that stood in front of output_
    bool broken_ = false;
    bool stopped_ = false;
    std::string problem_;
};

}  // namespace gate::redis
