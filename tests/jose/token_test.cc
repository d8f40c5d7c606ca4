#include "jose/token.h"

#include <gtest/gtest.h>

#include <string>

#include "base/base64url.h"

namespace gate::jose {
namespace {

std::string token(std::string_view header, std::string_view payload = "{}",
                  std::string_view signature = "sig") {
    return base64url_encode(bytes_of(header)) + '.' + base64url_encode(bytes_of(payload)) + '.' +
           base64url_encode(bytes_of(signature));
}

std::string reason_of(std::string_view text) {
    const auto parsed = parse_token(text);
    return std::string(parsed ? "" : code(parsed.error()));
}

std::string header_reason(std::string_view header) {
    return reason_of(token(header));
}

TEST(ParseToken, TakesApartWhatIsThere) {
    const std::string text =
        token(R"({"alg":"ES256","kid":"k1","typ":"at+jwt"})", R"({"sub":"u"})", "xyz");
    const auto parsed = parse_token(text);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->header.alg, crypto::Alg::kES256);
    EXPECT_EQ(parsed->header.kid, "k1");
    EXPECT_EQ(parsed->header.typ, "at+jwt");
    EXPECT_EQ(text_of(parsed->payload), R"({"sub":"u"})");
    EXPECT_EQ(text_of(parsed->signature), "xyz");
    EXPECT_EQ(parsed->signing_input, std::string_view(text).substr(0, text.rfind('.')));
    EXPECT_EQ(parsed->header.document.root().member("kid").string(), "k1");
}

TEST(ParseToken, LeavesOptionalParametersOut) {
    const std::string text = token(R"({"alg":"HS256"})", "", "");
    const auto parsed = parse_token(text);
    ASSERT_TRUE(parsed);
    EXPECT_FALSE(parsed->header.kid || parsed->header.typ);
    EXPECT_TRUE(parsed->payload.empty() && parsed->signature.empty());
}

TEST(ParseToken, NeedsExactlyThreeParts) {
    const std::string good = token(R"({"alg":"HS256"})");
    for (const std::string& text :
         {std::string(), std::string("."), std::string(".."), std::string("..."), good + ".",
          good + ".a.b", "." + good, good.substr(0, good.rfind('.')), std::string(8000, '.')}) {
        EXPECT_EQ(reason_of(text), "tok_malformed") << text.substr(0, 40);
    }
}

TEST(ParseToken, NeedsStrictBase64urlInEachPart) {
    const std::string good = token(R"({"alg":"HS256"})");
    EXPECT_EQ(reason_of(good), "");
    EXPECT_EQ(reason_of(good + "="), "tok_b64");
    EXPECT_EQ(reason_of(good + " "), "tok_b64");
    EXPECT_EQ(reason_of(good + "$"), "tok_b64");
    EXPECT_EQ(reason_of(" " + good), "tok_b64");
    std::string payload = good;
    payload.insert(good.find('.') + 1, 1, '+');
    EXPECT_EQ(reason_of(payload), "tok_b64");
}

TEST(ParseToken, NeedsAStrictJsonHeader) {
    EXPECT_EQ(header_reason("[]"), "json_bad");
    EXPECT_EQ(header_reason(R"({"alg":"HS256"} x)"), "json_bad");
    EXPECT_EQ(header_reason(R"({"alg":"HS256","alg":"none"})"), "json_dup");
    EXPECT_EQ(header_reason(R"({"alg":"HS256","x":1e400})"), "claim_range");
    EXPECT_EQ(header_reason("{\"alg\":\"HS256\",\"x\":" + std::string(40, '[')), "json_limit");
}

TEST(ParseToken, MatchesTheAlgorithmByItsOctets) {
    for (const char* alg : {"none", "None", "NONE", "nOnE"}) {
        EXPECT_EQ(header_reason(R"({"alg":")" + std::string(alg) + "\"}"), "alg_none") << alg;
    }
    for (const char* header :
         {R"({})", R"({"alg":""})", R"({"alg":null})", R"({"alg":1})", R"({"alg":["RS256"]})",
          R"({"alg":"rs256"})", R"({"alg":"RS256 "})", R"({"alg":"RS256\u0000"})",
          R"({"alg":"none "})", R"({"alg":"nonee"})", R"({"alg":"non"})", R"({"Alg":"RS256"})",
          R"({"alg":"ES256K"})"}) {
        EXPECT_EQ(header_reason(header), "alg_unknown") << header;
    }
}

TEST(ParseToken, RefusesEveryCrit) {
    for (const char* crit : {"[]", "null", "false", "\"exp\"", "[\"exp\"]", "[\"b64\"]", "{}"}) {
        EXPECT_EQ(header_reason(R"({"alg":"HS256","crit":)" + std::string(crit) + "}"),
                  "crit_unsupported");
    }
}

TEST(ParseToken, RefusesEveryB64ButTrue) {
    EXPECT_EQ(header_reason(R"({"alg":"HS256","b64":true})"), "");
    for (const char* b64 : {"false", "null", "0", "1", "\"true\"", "[]"}) {
        EXPECT_EQ(header_reason(R"({"alg":"HS256","b64":)" + std::string(b64) + "}"),
                  "b64_unsupported");
    }
}

TEST(ParseToken, RefusesEncryptionAndCompression) {
    EXPECT_EQ(header_reason(R"({"alg":"HS256","enc":"A128GCM"})"), "tok_malformed");
    EXPECT_EQ(header_reason(R"({"alg":"HS256","enc":null})"), "tok_malformed");
    EXPECT_EQ(header_reason(R"({"alg":"HS256","zip":"DEF"})"), "tok_malformed");
}

TEST(ParseToken, NeedsAKidThatIsAStringOfSomeLength) {
    for (const char* kid : {"\"\"", "null", "0", "true", "[]", "[\"k\"]", "{}"}) {
        EXPECT_EQ(header_reason(R"({"alg":"HS256","kid":)" + std::string(kid) + "}"), "kid_type");
    }
    const auto with_size = [](std::size_t size) {
        return header_reason(R"({"alg":"HS256","kid":")" + std::string(size, 'k') + "\"}");
    };
    EXPECT_EQ(with_size(kMaxKidSize), "");
    EXPECT_EQ(with_size(kMaxKidSize + 1), "kid_unknown");
}

TEST(ParseToken, NeedsATypThatIsAString) {
    EXPECT_EQ(header_reason(R"({"alg":"HS256","typ":""})"), "");
    EXPECT_EQ(header_reason(R"({"alg":"HS256","typ":1})"), "typ_bad");
    EXPECT_EQ(header_reason(R"({"alg":"HS256","typ":null})"), "typ_bad");
}

TEST(ParseToken, IgnoresParametersThatCarryOrNameKeys) {
    EXPECT_EQ(header_reason(R"({"alg":"HS256","jwk":{"kty":"oct"},"jku":"http://x","x5u":1,)"
                            R"("x5c":[],"x5t":"","x5t#S256":{}})"),
              "");
}

TEST(HeaderHint, ShowsTheBeginningOfAlgAndKid) {
    const HeaderHint hint = header_hint(token(R"({"alg":")" + std::string(100, 'a') +
                                              R"(","kid":")" + std::string(100, 'k') + "\"}"));
    EXPECT_EQ(hint.alg, std::string(16, 'a'));
    EXPECT_EQ(hint.kid, std::string(64, 'k'));
}

TEST(HeaderHint, IsEmptyWhereNothingCanBeRead) {
    for (const std::string& text :
         {std::string(), std::string("x"), std::string("=.a.b"), token("[]"), token("{}"),
          token(R"({"alg":1,"kid":[]})"),
          token(R"({"alg":"HS256","pad":")" + std::string(4096, 'p') + "\"}")}) {
        const HeaderHint hint = header_hint(text);
        EXPECT_EQ(hint.alg + hint.kid, "") << text.substr(0, 40);
    }
    EXPECT_EQ(header_hint(base64url_encode(bytes_of(R"({"alg":"none"})"))).alg, "none");
}

}  // namespace
}  // namespace gate::jose
