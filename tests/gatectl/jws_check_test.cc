#include "gatectl/jws_check.h"

#include "base/json_object.h"
#include "tests/gatectl/tool.h"
#include "tests/support/vectors.h"

namespace gate::ctl {
namespace {

using test::Json;
using test::VectorCount;

// RFC 7515 appendix A.1.
constexpr const char* kJwks =
    R"({"keys":[{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75)"
    R"(aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}]})";
constexpr const char* kToken =
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0d"
    "HA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

JsonObject request() {
    JsonObject object;
    return object.text("id", "x").raw("jwks", kJwks).text("token", kToken);
}

std::string answer(const JsonObject& object, Seconds now = 1300819379) {
    return JwsChecker(now).answer(object.str());
}

constexpr const char* kAccept = R"({"id":"x","verdict":"accept","reason":""})";

std::string reject(const std::string& reason) {
    return R"({"id":"x","verdict":"reject","reason":")" + reason + "\"}";
}

TEST(JwsCheck, AcceptsAGoodTokenOnBothLevels) {
    EXPECT_EQ(answer(request().text("level", "jws")), kAccept);
    EXPECT_EQ(answer(request().text("level", "jwt")), kAccept);
    EXPECT_EQ(answer(request()), kAccept);
}

TEST(JwsCheck, TakesTheTimeOfTheRequestOrTheClock) {
    EXPECT_EQ(answer(request(), 1300819380), reject("exp_past"));
    EXPECT_EQ(answer(request().number("now", 1300819379), 1900000000), kAccept);
    EXPECT_EQ(answer(request().number("now", 1300819380), 0), reject("exp_past"));
    EXPECT_EQ(answer(request().text("level", "jws"), 1900000000), kAccept);
}

TEST(JwsCheck, AllowsOnlyTheAlgorithmsNamed) {
    EXPECT_EQ(answer(request().texts("algorithms", {"RS256", "HS256"})), kAccept);
    EXPECT_EQ(answer(request().texts("algorithms", {"RS256"})), reject("alg_not_allowed"));
    EXPECT_EQ(answer(request().texts("algorithms", {})), reject("alg_not_allowed"));
    EXPECT_EQ(answer(request().texts("algorithms", {"none", "hs256"})), reject("alg_not_allowed"));
    EXPECT_EQ(answer(request().texts("algorithms", {"RS256"}).text("level", "jws")),
              reject("alg_not_allowed"));
}

TEST(JwsCheck, DecodesTokenB64) {
    JsonObject object;
    object.text("id", "x").raw("jwks", kJwks).text("token_b64", "YQBiLmMuZA==");
    EXPECT_EQ(answer(object), reject("tok_b64"));
}

TEST(JwsCheck, GivesTheReasonOfABrokenKeySet) {
    JsonObject object;
    object.text("id", "x").raw("jwks", R"({"keys":[]})").text("token", kToken);
    EXPECT_EQ(answer(object), reject("jwks_bad"));
}

TEST(JwsCheck, TakesAKeySetAsTextSoThatItsSpellingCounts) {
    JsonObject good;
    good.text("id", "x").text("jwks", kJwks).text("token", kToken);
    EXPECT_EQ(answer(good), kAccept);
    JsonObject twice;
    twice.text("id", "x").text("jwks", R"({"keys":[],"keys":[]})").text("token", kToken);
    EXPECT_EQ(answer(twice), reject("jwks_bad"));
}

TEST(JwsCheck, JudgesEachLineByItsOwnKeySet) {
    JwsChecker checker(1300819379);
    JsonObject other;
    other.text("id", "x").raw("jwks", R"({"keys":[]})").text("token", kToken);
    EXPECT_EQ(checker.answer(request().str()), kAccept);
    EXPECT_EQ(checker.answer(other.str()), reject("jwks_bad"));
    EXPECT_EQ(checker.answer(other.str()), reject("jwks_bad"));
    EXPECT_EQ(checker.answer(request().str()), kAccept);
    EXPECT_FALSE(checker.misused());
}

TEST(JwsCheck, EchoesAnIdOfAnyType) {
    JsonObject object;
    object.raw("id", R"({"a":[1,null]})").raw("jwks", kJwks).text("token", kToken);
    EXPECT_EQ(answer(object), R"({"id":{"a":[1,null]},"verdict":"accept","reason":""})");
    JsonObject none;
    none.raw("jwks", kJwks).text("token", kToken);
    EXPECT_EQ(answer(none), R"({"id":null,"verdict":"accept","reason":""})");
}

std::string error_of(const std::string& line) {
    JwsChecker checker(0);
    const std::string text = checker.answer(line);
    EXPECT_TRUE(checker.misused()) << line;
    const auto parsed = jose::Document::parse(text);
    if (!parsed) return "no JSON: " + text;
    EXPECT_EQ(parsed->root().member("verdict").string(), "reject") << line;
    return std::string(parsed->root().member("error").string().value_or("(none)"));
}

TEST(JwsCheck, RefusesALineThatIsNoRequest) {
    EXPECT_EQ(error_of("nonsense"), "the line is not strict JSON");
    EXPECT_EQ(error_of("[]"), "the line is not strict JSON");
    EXPECT_EQ(error_of("{}"), "\"jwks\" must be an object, or its text");
    EXPECT_EQ(error_of(R"({"jwks":{}})"), "needs either \"token\" or \"token_b64\"");
    EXPECT_EQ(error_of(R"({"jwks":{},"token":"a","token_b64":"YQ=="})"),
              "needs either \"token\" or \"token_b64\"");
    EXPECT_EQ(error_of(R"({"jwks":{},"token_b64":"?"})"), "\"token_b64\" is not base64");
    EXPECT_EQ(error_of(request().text("level", "x").str()), "\"level\" must be jws or jwt");
    EXPECT_EQ(error_of(request().text("now", "1").str()), "\"now\" must be an integer");
    EXPECT_EQ(error_of(request().text("algorithms", "RS256").str()),
              "\"algorithms\" must be an array");
}

TEST(JwsCheck, FindsTheIdOfALineThatIsNotStrict) {
    JwsChecker checker(0);
    EXPECT_EQ(checker.answer(R"({"id": "a, b", "jwks":{"a":1,"a":2}})"),
              R"({"id":"a, b","verdict":"reject","reason":"json_dup",)"
              R"("error":"the line is not strict JSON"})");
}

TEST(JwsCheckCommand, AnswersLineByLineAndSkipsEmptyOnes) {
    const ToolResult good = tool({"jws-check"}, "\n" + request().str() + "\n" + request().str());
    EXPECT_EQ(good.status, kDone);
    EXPECT_EQ(good.out, reject("exp_past") + "\n" + reject("exp_past") + "\n");
    EXPECT_EQ(tool({"jws-check"}, "x\n" + request().str()).status, kUsage);
}

// A case of the vectors as a request; its answer's verdict.
std::string verdict_of(const std::string& jwks, const Json& test, const std::string& level) {
    JsonObject object;
    object.text("id", test["id"].text()).raw("jwks", jwks).text("level", level);
    object.number("now", kTestNow);
    for (const char* name : {"token", "token_b64"}) {
        if (test[name].present()) object.text(name, test[name].text());
    }
    JwsChecker checker(0);
    const auto answer = jose::Document::parse(checker.answer(object.str()));
    if (!answer || checker.misused()) return "no answer";
    EXPECT_EQ(answer->root().member("id").string(), test["id"].text());
    const auto verdict = answer->root().member("verdict").string();
    EXPECT_EQ(verdict == "accept", answer->root().member("reason").string() == "");
    return std::string(verdict.value_or(""));
}

void expect_verdict(const Json& test, const std::string& verdict) {
    const std::string expected = test["verdict"].text();
    if (expected == "accept" || expected == "reject") {
        EXPECT_EQ(verdict, expected) << test["id"].text() << ' ' << test["why"].text();
    } else {
        EXPECT_NE(verdict, "no answer") << test["id"].text();
    }
}

TEST(JwsCheck, JudgesTheAttackTokens) {
    const Json file = Json::load("own/attack_tokens.json");
    GATE_NEED_VECTORS(file);
    VectorCount count("own/attack_tokens.json through jws-check", file["tests"].size());
    for (std::size_t i = 0; i < file["tests"].size(); ++i) {
        const Json test = file["tests"][i];
        const std::string jwks = file["keysets"][test["keyset"].text().c_str()].dump();
        expect_verdict(test, verdict_of(jwks, test, "jwt"));
        count.ran();
    }
}

TEST(JwsCheck, JudgesTheAttackJwks) {
    const Json file = Json::load("own/attack_jwks.json");
    GATE_NEED_VECTORS(file);
    VectorCount count("own/attack_jwks.json through jws-check", file["tests"].size());
    for (std::size_t i = 0; i < file["tests"].size(); ++i) {
        const Json test = file["tests"][i];
        expect_verdict(test, verdict_of(test["jwks"].dump(), test, "jwt"));
        count.ran();
    }
}

}  // namespace
}  // namespace gate::ctl
