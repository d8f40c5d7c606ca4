// Octets of a Redis connection. The first line chooses limits and where the rest is cut. However it
// is cut, the same replies come out; they are written again to the same octets; none is left out
// that a second reading finds good; and a Pipeline gives them to its callers in their order.
#include <algorithm>
#include <charconv>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "redis/pipeline.h"
#include "redis/reply_reader.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace gate::redis;
using Step = ReplyReader::Step;
using Random = std::minstd_rand;

struct Outcome {
    std::vector<Reply> replies;
    Step end = Step::kMore;
    std::string problem;
    std::size_t pending = 0;
};

// In pieces of `longest` octets at most, by chance.
std::vector<std::string_view> pieces_of(std::string_view octets, std::size_t longest,
                                        Random& random) {
    std::vector<std::string_view> pieces;
    while (!octets.empty()) {
        const std::size_t size = std::min<std::size_t>(1 + random() % longest, octets.size());
        pieces.push_back(octets.substr(0, size));
        octets.remove_prefix(size);
    }
    return pieces;
}

Outcome read(const std::vector<std::string_view>& pieces, const ReplyLimits& limits) {
    ReplyReader reader(limits);
    Outcome outcome;
    for (const std::string_view piece : pieces) {
        reader.feed(piece);
        for (;;) {
            Reply reply;
            outcome.end = reader.next(reply);
            if (outcome.end != Step::kReply) break;
            outcome.replies.push_back(std::move(reply));
        }
        if (outcome.end == Step::kBroken) break;
    }
    outcome.problem = reader.problem();
    outcome.pending = reader.pending();
    return outcome;
}

// A reply as a server writes it; a nil as the octets at that place do.
void append(std::string& out, const Reply& reply, std::string_view octets) {
    switch (reply.type) {
        case Reply::Type::kNil:
            out += octets.substr(out.size()).starts_with("*-1") ? "*-1\r\n" : "$-1\r\n";
            return;
        case Reply::Type::kStatus:
            out += "+" + reply.text + "\r\n";
            return;
        case Reply::Type::kError:
            out += "-" + reply.text + "\r\n";
            return;
        case Reply::Type::kInteger:
            out += ":" + std::to_string(reply.integer) + "\r\n";
            return;
        case Reply::Type::kString:
            out += "$" + std::to_string(reply.text.size()) + "\r\n" + reply.text + "\r\n";
            return;
        case Reply::Type::kArray:
            out += "*" + std::to_string(reply.items.size()) + "\r\n";
            for (const Reply& item : reply.items) append(out, item, octets);
            return;
    }
}

// The second reading: octets of the whole reply at the beginning of `octets`.
std::optional<std::size_t> whole(std::string_view octets, const ReplyLimits& limits,
                                 std::size_t depth = 0) {
    const std::size_t end = octets.find('\r');
    if (end == octets.npos || end == 0 || octets.substr(end, 2) != "\r\n") return std::nullopt;
    const std::string_view line = octets.substr(1, end - 1);
    const std::size_t head = end + 2;
    if (octets[0] == '+' || octets[0] == '-') {
        return line.find('\n') == line.npos ? std::optional(head) : std::nullopt;
    }
    std::int64_t number = 0;
    std::from_chars(line.data(), line.data() + line.size(), number);
    if (std::to_string(number) != line) return std::nullopt;
    if (octets[0] == ':') return head;
    const bool nil = number == -1;
    if (octets[0] == '$' && nil) return head;
    if (octets[0] == '$' && number >= 0 && static_cast<std::size_t>(number) < octets.size()) {
        const std::size_t data_end = head + static_cast<std::size_t>(number);
        if (octets.size() < data_end + 2 || octets.substr(data_end, 2) != "\r\n")
            return std::nullopt;
        return data_end + 2;
    }
    if (octets[0] != '*' || depth > limits.depth || number < -1) return std::nullopt;
    if (!nil && static_cast<std::size_t>(number) > limits.elements) return std::nullopt;
    std::size_t size = head;
    for (std::int64_t i = 0; i < number; ++i) {
        const auto item = whole(octets.substr(size), limits, depth + 1);
        if (!item) return std::nullopt;
        size += *item;
    }
    return size;
}

std::string written(const std::vector<Reply>& replies, std::string_view octets) {
    std::string out;
    for (const Reply& reply : replies) append(out, reply, octets);
    return out;
}

class Counter : public Caller {
public:
    void answered(std::vector<Reply> got) override {
        ++calls;
        for (Reply& reply : got) replies.push_back(std::move(reply));
    }
    void failed(LinkFailure) override { ++failures; }

    std::vector<Reply> replies;
    std::size_t calls = 0;
    std::size_t failures = 0;
};

// Exchanges of one to three commands, as many as there are replies at most.
void check_pipeline(std::string_view octets, const Outcome& known, const ReplyLimits& limits,
                    Random& random) {
    constexpr std::size_t kExchanges = 8;
    Pipeline pipeline(limits);
    Counter stays;
    Counter goes;
    std::vector<std::size_t> counts(kExchanges);
    std::size_t commands = 0;
    for (std::size_t& count : counts) {
        count = 1 + random() % 3;
        commands += count;
        pipeline.send(stays, 1, std::string(count, 'x'), count);
    }
    pipeline.send(goes, 2, "y", 1);
    pipeline.wrote(pipeline.output().size());
    pipeline.forget(goes);
    bool good = true;
    for (const std::string_view piece : pieces_of(octets, 40, random)) {
        good = good && pipeline.receive(piece);
    }
    const std::size_t taken = std::min(known.replies.size(), commands);
    std::size_t answered = 0;
    std::size_t calls = 0;
    while (calls < counts.size() && answered + counts[calls] <= taken) answered += counts[calls++];
    GATE_INVARIANT(stays.calls == calls && stays.replies.size() == answered);
    const std::vector<Reply> first(known.replies.begin(),
                                   known.replies.begin() + static_cast<std::ptrdiff_t>(answered));
    GATE_INVARIANT(written(stays.replies, octets) == written(first, octets));
    GATE_INVARIANT(good == (known.end != Step::kBroken && known.replies.size() <= commands + 1));
    pipeline.fail(LinkFailure::kClosed);
    GATE_INVARIANT(stays.failures == counts.size() - calls);
    GATE_INVARIANT(goes.calls == 0 && goes.failures == 0 && pipeline.waiting() == 0);
}

void check(std::string_view octets, const ReplyLimits& limits, Random& random) {
    const Outcome known = read({octets}, limits);
    for (const std::size_t longest : {1, 3, 50}) {
        const Outcome other = read(pieces_of(octets, longest, random), limits);
        GATE_INVARIANT(other.end == known.end && other.problem == known.problem);
        GATE_INVARIANT(other.replies.size() == known.replies.size());
        GATE_INVARIANT(written(other.replies, octets) == written(known.replies, octets));
        GATE_INVARIANT(known.end == Step::kBroken || other.pending == known.pending);
    }
    const std::string good = written(known.replies, octets);
    GATE_INVARIANT(octets.starts_with(good));
    GATE_INVARIANT(known.pending == octets.size() - good.size());
    GATE_INVARIANT(known.problem.empty() == (known.end == Step::kMore));
    for (const char c : known.problem) GATE_INVARIANT(c < 0 || c >= 0x20);
    std::string_view rest = octets;
    for (std::size_t i = 0; i < known.replies.size(); ++i) {
        const auto size = whole(rest, limits);
        GATE_INVARIANT(size && *size <= limits.octets);
        rest.remove_prefix(*size);
    }
    const auto next = whole(rest, limits);
    GATE_INVARIANT(!next || *next > limits.octets);
    check_pipeline(octets, known, limits, random);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    gate::fuzz::Input input(data, size);
    unsigned seed = 1;
    for (const char c : input.line()) seed = seed * 31 + static_cast<std::uint8_t>(c);
    Random random(seed);
    ReplyLimits limits;
    if (seed % 2 == 0)
        limits = {.octets = 1 + random() % 200, .elements = random() % 6, .depth = random() % 9};
    limits.depth = std::min<std::size_t>(limits.depth, 7);
    check(input.rest(), limits, random);
    return 0;
}
