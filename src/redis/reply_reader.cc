#include "redis/reply_reader.h"

#include <hiredis/hiredis.h>

#include <new>
#include <utility>

#include "redis/reply_scanner.h"

namespace gate::redis {

namespace {

// What a reader that idles may hold on to.
constexpr std::size_t kKept = std::size_t{1} << 14;

struct FreeParser {
    void operator()(redisReader* parser) const noexcept { redisReaderFree(parser); }
};

// hiredis calls these while it parses; the tree grows below *privdata, which the caller owns, so
// that nothing is lost whenever hiredis gives up. An array in work stays where it is: its parent
// grows only for the next element. No exception may enter hiredis' frames; it takes a null pointer
// for a failed allocation.
template <class Fill>
void* make(const redisReadTask* task, Reply::Type type, Fill fill) noexcept {
    try {
        Reply& reply = task->parent == nullptr
                           ? *static_cast<Reply*>(task->privdata)
                           : static_cast<Reply*>(task->parent->obj)->items.emplace_back();
        reply.type = type;
        fill(reply);
        return &reply;
    } catch (...) {
        return nullptr;
    }
}

void* make_string(const redisReadTask* task, char* text, std::size_t size) {
    Reply::Type type = Reply::Type::kString;
    if (task->type == REDIS_REPLY_STATUS) type = Reply::Type::kStatus;
    if (task->type == REDIS_REPLY_ERROR) type = Reply::Type::kError;
    return make(task, type, [&](Reply& reply) { reply.text.assign(text, size); });
}

// hiredis 1.0 counts with another type. All elements have arrived, see ReplyScanner.
template <class Count>
void* make_array(const redisReadTask* task, Count elements) {
    return make(task, Reply::Type::kArray,
                [&](Reply& reply) { reply.items.reserve(static_cast<std::size_t>(elements)); });
}

void* make_integer(const redisReadTask* task, long long value) {
    return make(task, Reply::Type::kInteger, [&](Reply& reply) { reply.integer = value; });
}

void* make_nil(const redisReadTask* task) {
    return make(task, Reply::Type::kNil, [](Reply&) {});
}

void keep_object(void*) {}

redisReplyObjectFunctions functions = {
    .createString = make_string,
    .createArray = make_array,
    .createInteger = make_integer,
    .createNil = make_nil,
    .freeObject = keep_object,
};

}  // namespace

struct ReplyReader::State {
    explicit State(const ReplyLimits& limits) : scanner(limits) {}

    std::string_view pending() const noexcept { return std::string_view(octets).substr(start); }
    void parse(std::string_view whole, Reply& reply);
    void drop(std::size_t count) noexcept;
    void reset() noexcept;

    ReplyScanner scanner;
    std::string octets;
    std::size_t start = 0;  // of the reply in work
    std::unique_ptr<redisReader, FreeParser> parser;
    std::string problem;  // not empty: broken
};

// `whole` is one reply, which the scanner has seen to the end.
void ReplyReader::State::parse(std::string_view whole, Reply& reply) {
    if (!parser) {
        parser.reset(redisReaderCreateWithFunctions(&functions));
        if (!parser) throw std::bad_alloc();
        // hiredis would free a large buffer and abort where it gets no small one instead.
        parser->maxbuf = 0;
    }
    Reply root;
    parser->privdata = &root;
    void* made = nullptr;
    const bool good = redisReaderFeed(parser.get(), whole.data(), whole.size()) == REDIS_OK &&
                      redisReaderGetReply(parser.get(), &made) == REDIS_OK;
    if (parser->err == REDIS_ERR_OOM) {
        parser.reset();
        throw std::bad_alloc();
    }
    if (!good || made == nullptr || parser->pos != parser->len) {
        problem = "hiredis reads a reply otherwise: " + std::string(parser->errstr);
        return;
    }
    if (whole.size() > kKept) parser.reset();
    reply = std::move(root);
}

void ReplyReader::State::drop(std::size_t count) noexcept {
    start += count;
    if (start != octets.size()) return;
    start = 0;
    octets.clear();
    if (octets.capacity() > kKept) std::string().swap(octets);
}

void ReplyReader::State::reset() noexcept {
    drop(octets.size() - start);
    scanner.restart();
    parser.reset();
    problem.clear();
}

ReplyReader::ReplyReader(ReplyLimits limits) : state_(std::make_unique<State>(limits)) {}
ReplyReader::~ReplyReader() = default;
ReplyReader::ReplyReader(ReplyReader&&) noexcept = default;
ReplyReader& ReplyReader::operator=(ReplyReader&&) noexcept = default;

void ReplyReader::feed(std::string_view octets) {
    State& state = *state_;
    if (!state.problem.empty()) return;
    state.octets.erase(0, state.start);
    state.start = 0;
    state.octets.append(octets);
}

ReplyReader::Step ReplyReader::next(Reply& reply) {
    State& state = *state_;
    if (!state.problem.empty()) return Step::kBroken;
    switch (state.scanner.scan(state.pending())) {
        case ReplyScanner::Step::kMore:
            return Step::kMore;
        case ReplyScanner::Step::kBroken:
            state.problem = state.scanner.problem();
            return Step::kBroken;
        case ReplyScanner::Step::kWhole:
            break;
    }
    state.parse(state.pending().substr(0, state.scanner.size()), reply);
    if (!state.problem.empty()) return Step::kBroken;
    state.drop(state.scanner.size());
    state.scanner.restart();
    return Step::kReply;
}

const std::string& ReplyReader::problem() const noexcept {
    return state_->problem;
}

std::size_t ReplyReader::pending() const noexcept {
    return state_->pending().size();
}

void ReplyReader::reset() noexcept {
    state_->reset();
}

}  // namespace gate::redis
