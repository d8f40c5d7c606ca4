// The project's own attack corpus: verdicts, and the reasons that the threat table names.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "jose/issuer.h"
#include "tests/support/judge.h"
#include "tests/support/vectors.h"

namespace gate::test {
namespace {

using Reasons = std::set<Reason>;

// Reasons that a refused case of each class may have; several where the class mixes causes.
const std::map<std::string, Reasons> kReasonsOfClass{
    {"alg-bad", {Reason::kAlgUnknown}},
    // Some have no third part: they fail before the header is read.
    {"alg-none", {Reason::kAlgNone, Reason::kTokMalformed}},
    {"b64-false", {Reason::kB64Unsupported, Reason::kCritUnsupported, Reason::kTokMalformed}},
    {"b64-noncanon", {Reason::kTokB64}},
    {"b64-struct", {Reason::kTokB64, Reason::kTokMalformed, Reason::kSigBad, Reason::kJsonBad}},
    {"claim-inject", {}},
    {"claim-type", {Reason::kClaimType, Reason::kClaimRange}},
    // Within one family the signature fails, where the key names no algorithm.
    {"confusion-alg", {Reason::kAlgKeyMismatch, Reason::kSigBad}},
    {"confusion-hmac", {Reason::kAlgKeyMismatch}},
    {"control", {}},
    {"crit", {Reason::kCritUnsupported}},
    {"hdr-inject", {Reason::kSigBad, Reason::kKidUnknown}},
    {"json-bad", {Reason::kJsonBad}},
    {"json-deep", {Reason::kJsonLimit}},
    {"json-dup", {Reason::kJsonDup}},
    {"json-utf8", {Reason::kJsonBad}},
    {"kid", {Reason::kKidType, Reason::kKidUnknown}},
    {"malleable", {}},
    {"sig", {Reason::kSigBad}},
    {"sig-ecdsa", {Reason::kSigBad}},
    {"size", {Reason::kJsonLimit}},
    {"time",
     {Reason::kClaimType, Reason::kClaimRange, Reason::kExpPast, Reason::kNbfFuture,
      Reason::kExpMissing}},
    {"typ", {Reason::kTypBad, Reason::kTokMalformed, Reason::kJsonBad}},
};

// What the corpus leaves to policy, and what ours is.
const std::map<std::string, Reason> kPolicy{
    {"b64-false-012", Reason::kNone},     // b64:true says what is the default
    {"typ-003", Reason::kNone},           // dpop+jwt: refused only where "type" is configured
    {"size-003", Reason::kNone},          // the size limit belongs to the caller
    {"size-005", Reason::kJsonLimit},     // 1000 members
    {"b64-struct-024", Reason::kTokB64},  // a trailing blank
    {"time-047", Reason::kClaimRange},    // 2^53 + 1
    {"time-064", Reason::kClaimRange},    // nbf -1
    {"time-071", Reason::kExpMissing},    // no exp
    {"jwks-000", Reason::kJwksBad},       // two keys with one kid
    {"jwks-003", Reason::kNone},          // an element that is no object is skipped
    {"jwks-004", Reason::kJwksBad},       // oct beside RSA
    {"jwks-010", Reason::kNone},          // a bare JWK
};

// Checks one verdict; true where `reason` is a refusal.
bool check_verdict(const Json& test, Reason reason) {
    const std::string id = test["id"].text();
    const std::string verdict = test["verdict"].text();
    SCOPED_TRACE(id + " " + test["why"].text());
    if (verdict == "accept") {
        EXPECT_EQ(code(reason), "");
    } else if (verdict == "reject") {
        EXPECT_NE(code(reason), "");
    } else if (verdict == "policy") {
        const auto ours = kPolicy.find(id);
        EXPECT_TRUE(ours != kPolicy.end());
        if (ours != kPolicy.end()) {
            EXPECT_EQ(code(reason), code(ours->second));
        }
    } else {
        EXPECT_EQ(verdict, "no-inject");
    }
    // Whatever a client sends is the client's fault.
    EXPECT_TRUE(reason == Reason::kNone || status_of(refusal_class(reason)) == 401);
    return reason != Reason::kNone;
}

std::string token_of(const Json& test) {
    if (!test["token_b64"].present()) return test["token"].text();
    return std::string(text_of(from_base64(test["token_b64"].text())));
}

TEST(AttackTokens, AreRefusedForTheirReasonAndControlsPass) {
    const Json file = Json::load("own/attack_tokens.json");
    GATE_NEED_VECTORS(file);
    const Json tests = file["tests"];
    VectorCount count("own/attack_tokens.json", tests.size());
    for (std::size_t i = 0; i < tests.size(); ++i) {
        const Json test = tests[i];
        const std::string jwks = file["keysets"][test["keyset"].text().c_str()].dump();
        const Reason reason = judge_jwt(jwks, token_of(test));
        if (check_verdict(test, reason)) {
            const auto expected = kReasonsOfClass.find(test["cls"].text());
            ASSERT_TRUE(expected != kReasonsOfClass.end()) << test["cls"].text();
            EXPECT_TRUE(expected->second.contains(reason) || kPolicy.contains(test["id"].text()))
                << test["id"].text() << " was refused with " << code(reason);
        }
        count.ran();
    }
}

// The default list of an issuer is asymmetric: HS* needs naming.
TEST(AttackTokens, WithHmacAreNotAllowedByDefault) {
    const Json file = Json::load("own/attack_tokens.json");
    GATE_NEED_VECTORS(file);
    const Json tests = file["tests"];
    const crypto::AlgSet defaults = jose::Issuer{}.algorithms;
    EXPECT_TRUE((defaults & crypto::kHmacAlgs).empty());
    for (std::size_t i = 0; i < tests.size(); ++i) {
        const Json test = tests[i];
        const std::string keyset = test["keyset"].text();
        if (test["cls"].text() != "control" || !keyset.starts_with("HS")) continue;
        const std::string jwks = file["keysets"][keyset.c_str()].dump();
        EXPECT_EQ(code(judge_jwt(jwks, token_of(test), kNow, defaults)), "alg_not_allowed");
    }
}

TEST(AttackJwks, AreRefusedForTheirReasonAndControlsPass) {
    const std::map<std::string, Reasons> by_word{
        {"key_ops", {Reason::kJwkUse}},      {"use", {Reason::kJwkUse}},
        {"small order", {Reason::kJwkWeak}}, {"identity-point", {Reason::kJwkWeak}},
        {"secret of", {Reason::kJwkWeak}},   {"1024-bit", {Reason::kJwkWeak}},
        {"128 KiB", {Reason::kJwkWeak}},     {"e=1", {Reason::kJwkWeak}},
        {"e huge", {Reason::kJwkWeak}},      {"crv", {Reason::kJwkBad}},
        {"x=y=0", {Reason::kJwkBad}},        {"x short", {Reason::kJwkBad}},
        {"y missing", {Reason::kJwkBad}},    {"std alphabet", {Reason::kJwkBad}},
        {"keys", {Reason::kJwksBad}},        {"kty", {Reason::kJwkBad}},
    };
    const Json file = Json::load("own/attack_jwks.json");
    GATE_NEED_VECTORS(file);
    const Json tests = file["tests"];
    VectorCount count("own/attack_jwks.json", tests.size());
    for (std::size_t i = 0; i < tests.size(); ++i) {
        const Json test = tests[i];
        const Reason reason = judge_jwt(test["jwks"].dump(), test["token"].text());
        if (check_verdict(test, reason)) {
            for (const auto& [word, reasons] : by_word) {
                if (test["why"].text().find(word) == std::string::npos) continue;
                EXPECT_TRUE(reasons.contains(reason))
                    << test["id"].text() << " was refused with " << code(reason);
            }
        }
        count.ran();
    }
}

}  // namespace
}  // namespace gate::test
