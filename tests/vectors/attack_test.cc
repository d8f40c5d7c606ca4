// The project's own attack corpus, against the claim rules of its control tokens.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "tests/support/judge.h"
#include "tests/support/vectors.h"

namespace gate::test {
namespace {

using Reasons = std::set<Reason>;

// What SECURITY.md names for each class of attack.
const std::map<std::string, Reasons>& reasons_of_class() {
    static const std::map<std::string, Reasons> kReasons{};
    return kReasons;
}

TEST(AttackTokens, AreRefusedForTheirReasonAndControlsPass) {
    const Json file = Json::load("own/attack_tokens.json");
    GATE_NEED_VECTORS(file);
    const Json tests = file["tests"];
    VectorCount count("own/attack_tokens.json", tests.size());
    std::map<std::string, std::map<std::string, int>> seen;
    for (std::size_t i = 0; i < tests.size(); ++i) {
        const Json test = tests[i];
        std::string token = test["token"].text();
        if (test["token_b64"].present()) {
            token = text_of(from_base64(test["token_b64"].text()));
        }
        const std::string jwks = file["keysets"][test["keyset"].text().c_str()].dump();
        const Reason reason = judge_jwt(jwks, token);
        const std::string verdict = test["verdict"].text();
        const std::string cls = test["cls"].text();
        const std::string id = test["id"].text();
        ++seen[cls + " " + verdict][std::string(code(reason))];
        if (verdict == "accept") EXPECT_EQ(code(reason), "") << id << ' ' << test["why"].text();
        if (verdict == "reject") EXPECT_NE(code(reason), "") << id << ' ' << test["why"].text();
        EXPECT_NE(status_of(refusal_class(reason)), 500) << id;
        count.ran();
    }
    for (auto& [c, m] : seen) { printf("%s:", c.c_str()); for (auto& [r, n] : m) printf(" %s=%d", r.c_str(), n); printf("\n"); }
}

TEST(AttackJwks, AreRefusedForTheirReasonAndControlsPass) {
    const Json file = Json::load("own/attack_jwks.json");
    GATE_NEED_VECTORS(file);
    const Json tests = file["tests"];
    VectorCount count("own/attack_jwks.json", tests.size());
    for (std::size_t i = 0; i < tests.size(); ++i) {
        const Json test = tests[i];
        const Reason reason = judge_jwt(test["jwks"].dump(), test["token"].text());
        const std::string verdict = test["verdict"].text();
        const std::string id = test["id"].text();
        if (verdict == "accept") EXPECT_EQ(code(reason), "") << id << ' ' << test["why"].text();
        if (verdict == "reject") EXPECT_NE(code(reason), "") << id << ' ' << test["why"].text();
        printf("%s %s %s %s\n", id.c_str(), verdict.c_str(), test["why"].text().c_str(), std::string(code(reason)).c_str());
        count.ran();
    }
}

}  // namespace
}  // namespace gate::test
