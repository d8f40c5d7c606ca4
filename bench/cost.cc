// What the worst tokens cost that the size limit lets through (8192 octets), beside an ordinary one
// of that size: accepted ones, whatever shape their claims have, and refused ones. CPU time of the
// thread, the best of many runs; with --count one callgrind dump for each, which bench/count
// judges.
#include <valgrind/callgrind.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/base64url.h"
#include "jose/signer.h"
#include "policy/engine.h"
#include "tests/fuzz/test_keys.h"

namespace {

using namespace gate;

constexpr Seconds kNow = 1800000000;
constexpr std::size_t kMaxSize = 8192;
constexpr int kRuns = 300;

double cpu_microseconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

class World {
public:
    World() {
        const auto jwk = jose::Document::parse(test::kRsaJwk);
        key_ = *jose::read_signing_jwk(jwk->root());
        auto keys = std::make_shared<jose::KeySet>();
        if (!keys->add_jwks(test::kRsaJwk)) std::abort();
        issuer_.audience_off = true;
        trusted_ = {&issuer_, std::move(keys), nullptr};
    }

    std::string token(const std::string& payload) const {
        return *jose::sign_compact(*key_, crypto::Alg::kRS256, R"({"alg":"RS256","kid":"rsa"})",
                                   payload);
    }

    // `unit`, of so many JSON values, as often as the limits allow; what room is left is one long
    // string.
    std::string filled(const std::string& before, std::size_t values,
                       const std::function<std::string(int)>& unit,
                       const std::string& after) const {
        const std::size_t room = (kMaxSize - 384) / 4 * 3;
        const std::size_t max_values = room / 5 - 10;
        const std::string end = after + ",\"p\":\"";
        std::string payload = before;
        std::size_t used = 0;
        for (int i = 0; used + values <= max_values; ++i, used += values) {
            if (payload.size() + end.size() + unit(i).size() + 2 > room) break;
            payload += unit(i);
        }
        payload += end;
        return token(payload + std::string(room - payload.size() - 2, 'p') + "\"}");
    }

    Reason judge(const std::string& text) const {
        policy::Request request;
        const policy::TrustedIssuer* const issuer = &trusted_;
        request.issuers = {&issuer, 1};
        request.max_size = kMaxSize;
        request.now = kNow;
        request.credential = {policy::CredentialKind::kJwt, text};
        const auto outcome = policy::Authentication(request).start();
        const auto* deny = std::get_if<policy::Deny>(&outcome);
        return deny != nullptr ? deny->reason : Reason::kNone;
    }

    double cost(const std::string& text) const {
        double best = std::numeric_limits<double>::max();
        for (int i = 0; i < kRuns; ++i) {
            const double start = cpu_microseconds();
            static_cast<void>(judge(text));
            best = std::min(best, cpu_microseconds() - start);
        }
        return best;
    }

private:
    std::shared_ptr<crypto::SigningKey> key_;
    jose::Issuer issuer_ = [] {
        jose::Issuer issuer;
        issuer.name = "corp";
        issuer.iss = "i";
        return issuer;
    }();
    policy::TrustedIssuer trusted_;
};

struct Shape {
    const char* name;
    std::string token;
};

const std::string kHead = R"({"iss":"i","exp":4102444800)";

// Accepted ones; the first is what the others are measured by.
std::vector<Shape> good_shapes(const World& world) {
    const auto open = kHead + ",";
    const auto array = [&](const char* unit, std::size_t values) {
        return world.filled(
            open + R"("roles":["r")", values, [unit](int) { return ',' + std::string(unit); }, "]");
    };
    const auto text = [&](const char* name, const char* unit) {
        return world.filled(
            open + '"' + name + "\":\"", 0, [unit](int) { return std::string(unit); }, "\"");
    };
    const auto member = [](int i) {
        return i < 250 ? ",\"member" + std::to_string(i) + "\":1" : std::string(1, ' ');
    };
    const std::string digits = std::string(700, '3');
    return {
        {"ordinary claims", world.filled(
                                kHead, 1, [](int) { return std::string(); }, "")},
        {"scope of words", text("scope", "a ")},
        {"scope of blanks", text("scope", " ")},
        {"escapes", text("sub", "\\u00e9")},
        {"short escapes", text("sub", "\\/")},
        {"many roles", array("\"\"", 1)},
        {"many short roles", array("\"s\"", 1)},
        {"many numbers", array("1", 1)},
        {"large numbers", array("1e308", 3)},
        {"small numbers", array("1e-308", 3)},
        {"fractions", array("0.1", 3)},
        {"numbers that are hard to read", array("2.2250738585072011e-308", 5)},
        {"numbers of many digits", array(("1." + digits + "e-290").c_str(), 5)},
        {"many members", world.filled(kHead, 1, member, "")},
        {"empty objects", array("{}", 2)},
        {"empty arrays", array("[]", 2)},
        {"arrays in arrays", array("[[]]", 3)},
        {"objects in an array", array("{\"a\":{}}", 3)},
        {"blanks", world.filled(
                       open, 0, [](int) { return std::string(" "); }, "\"a\":1")},
    };
}

// A good token with another signature.
std::string forged(std::string token) {
    token[token.size() - 2] = token[token.size() - 2] == 'A' ? 'B' : 'A';
    return token;
}

std::vector<Shape> bad_shapes(const World& world) {
    const std::string good = world.token(kHead + "}");
    return {
        {"brackets", world.token(std::string(kMaxSize / 2, '['))},
        {"too many values", world.token(kHead + R"(,"roles":["")" +
                                        [] {
                                            std::string roles;
                                            for (int i = 0; i < 1900; ++i) roles += ",\"\"";
                                            return roles;
                                        }() +
                                        "]}")},
        {"no token", std::string(kMaxSize, 'A')},
        {"dots", std::string(kMaxSize, '.')},
        {"an unknown kid",
         base64url_encode(bytes_of(R"({"alg":"RS256","kid":"x"})")) + good.substr(good.find('.'))},
    };
}

// What runs for the first time resolves symbols and fetches algorithms: not counted.
void count(const World& world, const std::string& name, const std::string& token) {
    static_cast<void>(world.judge(token));
    CALLGRIND_ZERO_STATS;
    static_cast<void>(world.judge(token));
    CALLGRIND_DUMP_STATS_AT(name.c_str());
}

int count_all(const World& world) {
    for (const Shape& shape : good_shapes(world)) {
        if (world.judge(shape.token) != Reason::kNone ||
            world.judge(forged(shape.token)) != Reason::kSigBad) {
            std::fprintf(stderr, "cost: %s: not as expected\n", shape.name);
            return 1;
        }
        count(world, std::string("accepted ") + shape.name, shape.token);
        count(world, std::string("forged ") + shape.name, forged(shape.token));
    }
    for (const Shape& shape : bad_shapes(world)) {
        if (world.judge(shape.token) == Reason::kNone) return 1;
        count(world, std::string("refused ") + shape.name, shape.token);
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const World world;
    if (argc > 1 && std::string_view(argv[1]) == "--count") return count_all(world);
    std::vector<Shape> all = good_shapes(world);
    for (Shape& shape : bad_shapes(world)) all.push_back(std::move(shape));
    static_cast<void>(world.cost(all.front().token));  // warms up
    const double usual = world.cost(all.front().token);
    double worst = 0;
    for (const Shape& shape : all) {
        const Reason reason = world.judge(shape.token);
        const double cost = world.cost(shape.token);
        worst = std::max(worst, cost / usual);
        std::printf("%-30s %8.1f us %6.2f  %5zu octets  %s\n", shape.name, cost, cost / usual,
                    shape.token.size(), std::string(code(reason)).c_str());
    }
    std::printf("cost: the worst token costs %.2f times as much as an ordinary one of that size\n",
                worst);
    return 0;
}
