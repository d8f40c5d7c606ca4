// What the worst tokens cost that the size limit lets through (8192 octets), beside an ordinary one
// of 860: accepted ones, whatever shape their claims have, and refused ones. CPU time of the
// thread, the best of many runs.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <limits>
#include <string>
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

    // `unit` as often as the limit allows.
    std::string filled(const std::string& before, const std::function<std::string(int)>& unit,
                       const std::string& after) const {
        const std::size_t room = (kMaxSize - 384) / 4 * 3;
        std::string payload = before;
        for (int i = 0; payload.size() + after.size() + unit(i).size() < room; ++i) {
            payload += unit(i);
        }
        return token(payload + after);
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

std::vector<Shape> shapes(const World& world) {
    const auto always = [](const char* unit) { return [unit](int) { return std::string(unit); }; };
    const auto open = kHead + ",";
    std::string bad_signature = world.filled(kHead + ",\"p\":\"", always("p"), "\"}");
    bad_signature[bad_signature.size() - 2] ^= 1;
    const std::string good = world.token(kHead + "}");
    return {
        {"ordinary claims", world.filled(kHead + ",\"p\":\"", always("p"), "\"}")},
        {"scope of words", world.filled(open + R"("scope":")", always("a "), "\"}")},
        {"scope of blanks", world.filled(open + R"("scope":")", always(" "), "\"}")},
        {"many roles", world.filled(open + R"("roles":["r")", always(",\"\""), "]}")},
        {"many short roles", world.filled(open + R"("roles":["r")", always(",\"s\""), "]}")},
        {"many numbers", world.filled(open + R"("n":[0)", always(",1e9"), "]}")},
        {"many members", world.filled(
                             kHead,
                             [](int i) {
                                 return i < 250 ? ",\"member" + std::to_string(i) + "\":1"
                                                : std::string(1, ' ');
                             },
                             "}")},
        {"objects in an array", world.filled(open + R"("o":[0)", always(",{\"a\":{}}"), "]}")},
        {"escapes", world.filled(open + R"("sub":")", always("\\u00e9"), "\"}")},
        {"a bad signature", bad_signature},
        {"no JSON", world.filled(kHead + ",", always("["), "")},
        {"no token", std::string(kMaxSize, 'A')},
        {"dots", std::string(kMaxSize, '.')},
        {"an unknown kid",
         base64url_encode(bytes_of(R"({"alg":"RS256","kid":"x"})")) + good.substr(good.find('.'))},
    };
}

}  // namespace

int main() {
    const World world;
    const double usual =
        world.cost(world.token(kHead + ",\"p\":\"" + std::string(280, 'p') + "\"}"));
    std::printf("%-24s %8.1f us\n", "860 octets", usual);
    const std::vector<Shape> all = shapes(world);
    const double same_size = world.cost(all.front().token);
    double worst = 0;
    for (const Shape& shape : all) {
        const Reason reason = world.judge(shape.token);
        const double cost = world.cost(shape.token);
        worst = std::max(worst, cost / same_size);
        std::printf("%-24s %8.1f us %6.2f  %5zu octets  %s\n", shape.name, cost, cost / same_size,
                    shape.token.size(), std::string(code(reason)).c_str());
    }
    std::printf("cost: the worst token costs %.2f times as much as an ordinary one of that size\n",
                worst);
    return 0;
}
