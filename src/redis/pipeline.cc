#include "redis/pipeline.h"

#include <utility>

#include "base/bytes.h"
#include "redis/command.h"

namespace gate::redis {

namespace {

// What an idle connection may hold on to.
constexpr std::size_t kKept = std::size_t{1} << 14;

}  // namespace

Pipeline::~Pipeline() {
    wipe(output_.data(), output_.size());
}

void Pipeline::send(Caller& caller, std::uint64_t sent_at,
                    std::initializer_list<std::initializer_list<std::string_view>> commands) {
    std::string text;
    for (const auto& command : commands) append_command(text, command);
    send(caller, sent_at, text, commands.size());
}

// Either both the octets and the exchange are there at the end, or neither.
void Pipeline::send(Caller& caller, std::uint64_t sent_at, std::string_view commands,
                    std::size_t count) {
    make_room(commands.size());
    Exchange& exchange = exchanges_.emplace_back();
    try {
        // receive() must not fail with a reply in its hands.
        exchange.replies.reserve(count);
    } catch (...) {
        exchanges_.pop_back();
        throw;
    }
    exchange.caller = &caller;
    exchange.sent_at = sent_at;
    exchange.missing = count;
    exchange.begin = taken_ + output_.size();
    output_.append(commands);
}

void Pipeline::forget(const Caller& caller) noexcept {
    for (std::list<Exchange>* queue : {&exchanges_, &failing_}) {
        for (Exchange& exchange : *queue) {
            if (exchange.caller != &caller) continue;
            exchange.caller = nullptr;
            exchange.replies.clear();
        }
    }
}

std::string_view Pipeline::output() const noexcept {
    return std::string_view(output_).substr(written_);
}

void Pipeline::wrote(std::size_t octets) noexcept {
    wipe(output_.data() + written_, octets);
    written_ += octets;
    if (written_ < output_.size()) return;
    clear_output();
}

bool Pipeline::receive(std::string_view octets) {
    if (broken_) return false;
    problem_.clear();
    reader_.feed(octets);
    while (!stopped_) {
        Reply reply;
        const ReplyReader::Step step = reader_.next(reply);
        if (step == ReplyReader::Step::kMore) return true;
        if (step == ReplyReader::Step::kBroken) return break_with(reader_.problem());
        if (exchanges_.empty() || exchanges_.front().begin >= taken_ + written_) {
            return break_with("a reply that nobody asked for");
        }
        Exchange& front = exchanges_.front();
        if (front.caller != nullptr) front.replies.push_back(std::move(reply));
        if (--front.missing > 0) continue;
        // The caller may do anything to the queue.
        std::list<Exchange> done;
        done.splice(done.begin(), exchanges_, exchanges_.begin());
        Exchange& exchange = done.front();
        if (exchange.caller != nullptr) exchange.caller->answered(std::move(exchange.replies));
    }
    return true;
}

void Pipeline::fail(LinkFailure failure) {
    broken_ = false;
    stopped_ = false;
    reader_.reset();
    clear_output();
    for (Exchange& exchange : exchanges_) exchange.failure = failure;
    // A caller may send for the next connection, forget another one of these, or fail that, too.
    failing_.splice(failing_.end(), exchanges_);
    while (!failing_.empty()) {
        const Exchange& front = failing_.front();
        Caller* const caller = front.caller;
        const LinkFailure reason = front.failure;
        failing_.pop_front();
        if (caller != nullptr) caller->failed(reason);
    }
}

bool Pipeline::break_with(std::string problem) noexcept {
    problem_ = std::move(problem);
    broken_ = true;
    return false;
}

// Moves what is still to be written to memory that takes `more` octets without moving again, and
// leaves no password where it was.
void Pipeline::make_room(std::size_t more) {
    if (output_.capacity() - output_.size() >= more) return;
    std::string larger;
    larger.reserve(2 * output().size() + more);
    larger.append(output());
    wipe(output_.data(), output_.size());
    output_.swap(larger);
    taken_ += written_;
    written_ = 0;
}

void Pipeline::clear_output() noexcept {
    wipe(output_.data(), output_.size());
    taken_ += output_.size();
    written_ = 0;
    output_.clear();
    if (output_.capacity() > kKept) std::string().swap(output_);
}

}  // namespace gate::redis
