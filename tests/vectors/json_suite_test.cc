// JSONTestSuite as the payload and as the header of correctly signed tokens.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "jose/signer.h"
#include "tests/support/judge.h"
#include "tests/support/vectors.h"

namespace gate::test {
namespace {

constexpr const char* kSecret =
    R"({"kty":"oct","k":"WPPx0VQSQdSGmSfSKSDnoDMBX5gBbG0wwuMbTAk0nfM"})";

std::string signed_token(const std::string& header, const std::string& payload) {
    static const auto kKey = jose::read_signing_jwk(jose::Document::parse(kSecret)->root());
    return jose::sign_compact(**kKey, crypto::Alg::kHS256, header, payload).value_or("");
}

// Puts `members` behind the opening brace, so that the rest of the text stays what it is; a text
// that is no object is left alone.
std::string spliced(std::string text, const std::string& members) {
    const std::size_t brace = text.find_first_not_of(" \t\r\n");
    if (brace == std::string::npos || text[brace] != '{') return text;
    const std::size_t next = text.find_first_not_of(" \t\r\n", brace + 1);
    const bool empty = next != std::string::npos && text[next] == '}';
    return text.insert(brace + 1, members + (empty ? "" : ","));
}

void run(const char* where, const std::string& members,
         const std::function<Reason(const std::string&)>& judge) {
    const Json file = Json::load("json/json_test_suite.json");
    GATE_NEED_VECTORS(file);
    const Json tests = file["tests"];
    VectorCount count(std::string("json/json_test_suite.json as ") + where, tests.size());
    for (std::size_t i = 0; i < tests.size(); ++i) {
        const Json test = tests[i];
        const std::string text(text_of(from_base64(test["b64"].text())));
        const std::string verdict = test["as_claims"].text();
        SCOPED_TRACE(test["name"].text());
        const Reason reason = judge(spliced(text, members));
        if (verdict == "accept") {
            EXPECT_EQ(code(reason), "");
        } else if (verdict == "reject") {
            EXPECT_NE(code(reason), "");
        }
        EXPECT_TRUE(reason == Reason::kNone || status_of(refusal_class(reason)) == 401);
        count.ran();
    }
}

TEST(JsonTestSuite, AsPayloadGivesEveryExpectedVerdict) {
    run("payload", R"("exp":4102444800)", [](const std::string& payload) {
        return judge_jwt(kSecret, signed_token(R"({"alg":"HS256"})", payload));
    });
}

TEST(JsonTestSuite, AsHeaderGivesEveryExpectedVerdict) {
    run("header", R"("alg":"HS256")", [](const std::string& header) {
        return judge_jwt(kSecret, signed_token(header, R"({"exp":4102444800})"));
    });
}

}  // namespace
}  // namespace gate::test
