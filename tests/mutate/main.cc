// mutate [TOKENS] [SEED]: changes valid tokens at random and counts how many of the changed ones
// pass: none may. The seed is printed; the same seed changes the same way.
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "base/reason.h"
#include "jose/jwt.h"
#include "tests/mutate/mutator.h"
#include "tests/mutate/tokens.h"

namespace {

using namespace gate;
using mutate::Mutant;
using mutate::World;

constexpr std::uint64_t kDefaultTokens = 100000;
constexpr std::uint64_t kShown = 10;

// The whole judgement, as the engine makes it.
Reason judge(const World& world, const std::string& text, const jose::KeySet& keys) {
    const auto token = jose::parse_token(text);
    if (!token) return token.error();
    const auto payload = jose::Document::parse(text_of(token->payload));
    if (!payload) return payload.error();
    const auto claims = jose::verify_jwt(*token, *payload, world.issuer, keys, mutate::kNow);
    return claims ? Reason::kNone : claims.error();
}

// Both sets that a token could be judged with; a changed token may pass neither.
Reason judge_everywhere(const World& world, const Mutant& mutant) {
    if (mutant.wrong_keys != nullptr) return judge(world, mutant.text, *mutant.wrong_keys);
    const Reason first = judge(world, mutant.text, world.asymmetric);
    if (first == Reason::kNone) return first;
    const Reason second = judge(world, mutant.text, world.secret);
    return second == Reason::kNone ? second : first;
}

bool unchanged_pass(const World& world) {
    for (const mutate::Valid& valid : world.valid) {
        const Reason reason = judge(world, valid.text, *valid.keys);
        if (reason == Reason::kNone) continue;
        std::printf("mutate: the unchanged %s token is refused: %s\n", valid.name.c_str(),
                    code(reason).data());
        return false;
    }
    return true;
}

std::uint64_t number(const char* text, std::uint64_t otherwise) {
    return text != nullptr && *text != '\0' ? std::strtoull(text, nullptr, 10) : otherwise;
}

}  // namespace

int main(int argc, char** argv) {
    const std::uint64_t tokens = number(argc > 1 ? argv[1] : nullptr, kDefaultTokens);
    const auto ticks = std::chrono::system_clock::now().time_since_epoch().count();
    const std::uint64_t seed =
        number(argc > 2 ? argv[2] : nullptr, static_cast<std::uint64_t>(ticks) % 1000000000);
    std::printf("mutate: %" PRIu64 " tokens, seed %" PRIu64 "\n", tokens, seed);

    const World world;
    if (!unchanged_pass(world)) return 1;
    mutate::Mutator mutator(world, seed);
    std::map<std::string, std::uint64_t> by_reason;
    std::uint64_t wrong = 0;
    std::uint64_t identical = 0;
    for (std::uint64_t i = 0; i < tokens; ++i) {
        const Mutant mutant = mutator.next();
        const Reason reason = judge_everywhere(world, mutant);
        // A change may undo itself: that token is the valid one, and must pass.
        const bool same = mutant.wrong_keys == nullptr && world.is_valid(mutant.text);
        identical += same ? 1 : 0;
        ++by_reason[reason == Reason::kNone ? "accepted" : std::string(code(reason))];
        if ((reason == Reason::kNone) == same) continue;
        if (++wrong > kShown) continue;
        std::printf("mutate: token %" PRIu64 " (%s) %s: %s\n", i, mutant.what.c_str(),
                    same ? "is valid but REFUSED" : "ACCEPTED", mutant.text.c_str());
    }
    for (const auto& [reason, count] : by_reason) {
        std::printf("  %-20s %12" PRIu64 "\n", reason.c_str(), count);
    }
    std::printf("mutate: %" PRIu64 " changed tokens, %" PRIu64 " wrong answers (%" PRIu64
                " changes undid themselves)\n",
                tokens - identical, wrong, identical);
    return wrong == 0 ? 0 : 1;
}
