#include "redis/reply_scanner.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/bytes.h"

namespace gate::redis {

namespace {

// hiredis counts the octets of a line with an int; this is more than anybody wants to hold.
constexpr std::size_t kMostOctets = std::size_t{1} << 30;
constexpr std::size_t kLineEnd = 2;
constexpr std::uint64_t kMaxInteger = std::numeric_limits<std::int64_t>::max();

std::string quoted(char c) {
    return "\"" + log_escaped({&c, 1}, 1) + "\"";
}

}  // namespace

ReplyScanner::ReplyScanner(const ReplyLimits& limits) noexcept : limits_(limits) {
    limits_.octets = std::min(limits_.octets, kMostOctets);
    limits_.depth = std::min(limits_.depth, kMaxDepth);
}

ReplyScanner::Step ReplyScanner::scan(std::string_view octets) {
    while (state_ != State::kWhole && state_ != State::kBroken) {
        if (position_ == octets.size()) return Step::kMore;
        if (position_ == limits_.octets) {
            break_with("a reply of more than " + std::to_string(limits_.octets) + " octets");
        } else {
            take(octets);
        }
    }
    return state_ == State::kWhole ? Step::kWhole : Step::kBroken;
}

void ReplyScanner::restart() noexcept {
    state_ = State::kType;
    position_ = 0;
    depth_ = 0;
    problem_.clear();
}

// At least one octet of those behind position_, which the limit allows.
void ReplyScanner::take(std::string_view octets) {
    const char next = octets[position_];
    switch (state_) {
        case State::kType:
            return take_type(next);
        case State::kText:
            return take_text(octets);
        case State::kNumber:
            return take_digit(next);
        case State::kLineFeed:
            return take_line_feed(next);
        case State::kData: {
            const std::size_t count = std::min(data_, octets.size() - position_);
            position_ += count;
            data_ -= count;
            if (data_ == 0) state_ = State::kDataReturn;
            return;
        }
        case State::kDataReturn:
            if (next != '\r') return break_with("a string that is longer than announced");
            ++position_;
            state_ = State::kDataFeed;
            return;
        case State::kDataFeed:
            if (next != '\n') return break_with("a string that is longer than announced");
            ++position_;
            return end_item();
        case State::kWhole:
        case State::kBroken:
            return;
    }
}

void ReplyScanner::take_type(char type) {
    switch (type) {
        case '+':
        case '-':
            state_ = State::kText;
            break;
        case '*':
            if (depth_ > limits_.depth) {
                return break_with("an array in more than " + std::to_string(limits_.depth) +
                                  " arrays");
            }
            [[fallthrough]];
        case ':':
        case '$':
            state_ = State::kNumber;
            minus_ = false;
            digits_ = 0;
            magnitude_ = 0;
            break;
        default:
            return break_with(quoted(type) + " where a reply begins");
    }
    type_ = type;
    ++position_;
}

void ReplyScanner::take_text(std::string_view octets) {
    const std::string_view allowed = octets.substr(0, limits_.octets);
    const std::size_t end = std::min(allowed.find_first_of("\r\n", position_), allowed.size());
    if (end < allowed.size()) {
        if (allowed[end] == '\n') return break_with("a line that ends without CR");
        state_ = State::kLineFeed;
        position_ = end + 1;
    } else {
        position_ = end;
    }
}

// One spelling for each number: no '+', no 0 in front, no "-0".
void ReplyScanner::take_digit(char c) {
    if (c == '\r' && digits_ > 0) {
        state_ = State::kLineFeed;
    } else if (c == '-' && digits_ == 0 && !minus_) {
        minus_ = true;
    } else {
        const bool zero_in_front = digits_ == 1 && magnitude_ == 0;
        if (c < '0' || c > '9' || zero_in_front || (c == '0' && minus_ && digits_ == 0)) {
            return break_with(quoted(c) + " in a number");
        }
        const auto digit = static_cast<std::uint64_t>(c - '0');
        const std::uint64_t most = kMaxInteger + (minus_ ? 1 : 0);
        if (magnitude_ > (most - digit) / 10) {
            return break_with("a number that 64 bits do not hold");
        }
        magnitude_ = magnitude_ * 10 + digit;
        ++digits_;
    }
    ++position_;
}

void ReplyScanner::take_line_feed(char c) {
    if (c != '\n') return break_with("a CR within a line");
    const bool is_nil = minus_ && magnitude_ == 1;
    if (type_ == '$' && !is_nil) {
        end_string_head();
    } else if (type_ == '*' && !is_nil) {
        end_array_head();
    } else {
        end_item();
    }
    ++position_;
}

void ReplyScanner::end_string_head() {
    const std::size_t room = limits_.octets - position_ - 1;  // behind the LF
    if (minus_) {
        break_with("a string of -" + std::to_string(magnitude_) + " octets");
    } else if (room < kLineEnd || magnitude_ > room - kLineEnd) {
        break_with("a string of " + std::to_string(magnitude_) + " octets; at most " +
                   std::to_string(limits_.octets) + " are taken for a reply");
    } else {
        data_ = static_cast<std::size_t>(magnitude_);
        state_ = State::kData;
    }
}

void ReplyScanner::end_array_head() {
    if (minus_) {
        break_with("an array of -" + std::to_string(magnitude_) + " elements");
    } else if (magnitude_ > limits_.elements) {
        break_with("an array of " + std::to_string(magnitude_) + " elements; at most " +
                   std::to_string(limits_.elements) + " are taken");
    } else if (magnitude_ != 0) {
        missing_[depth_++] = static_cast<std::size_t>(magnitude_);
        state_ = State::kType;
    } else {
        end_item();
    }
}

void ReplyScanner::end_item() noexcept {
    while (depth_ > 0) {
        if (--missing_[depth_ - 1] > 0) {
            state_ = State::kType;
            return;
        }
        --depth_;
    }
    state_ = State::kWhole;
}

void ReplyScanner::break_with(std::string problem) noexcept {
    problem_ = std::move(problem);
    state_ = State::kBroken;
}

}  // namespace gate::redis
