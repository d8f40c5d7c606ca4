// Dates at the edge of their range, types in any case, and tokens with too many dots in a row.
#include <gtest/gtest.h>

#include "base/base64url.h"
#include "jose/jwt.h"
#include "jose/signer.h"
#include "tests/fuzz/test_keys.h"

namespace {

using namespace gate;

class Judge {
public:
    Judge() {
        const auto jwk = jose::Document::parse(test::kOctJwk);
        key_ = *jose::read_signing_jwk(jwk->root());
        EXPECT_TRUE(keys_.add_jwks(test::kOctJwk));
        issuer.audience_off = true;
        issuer.algorithms = {crypto::Alg::kHS256};
    }

    Result<jose::Claims, Reason> claims(const std::string& payload,
                                        const std::string& typ = "JWT") const {
        const auto text = jose::sign_compact(*key_, crypto::Alg::kHS256,
                                             R"({"alg":"HS256","typ":")" + typ + "\"}", payload);
        const auto token = jose::parse_token(*text);
        const auto document = jose::Document::parse(payload);
        return jose::verify_jwt(*token, *document, issuer, keys_, 1800000000);
    }

    jose::Issuer issuer;

private:
    std::shared_ptr<crypto::SigningKey> key_;
    jose::KeySet keys_;
};

TEST(VerifyJwtMore, TakesTheLastDateOfTheRangeInEitherForm) {
    const Judge judge;
    EXPECT_TRUE(judge.claims(R"({"exp":9007199254740992})"));
    EXPECT_TRUE(judge.claims(R"({"exp":9007199254740992.0})"));
    EXPECT_FALSE(judge.claims(R"({"exp":9007199254740993})"));
    EXPECT_FALSE(judge.claims(R"({"exp":9007199254740994.0})"));
}

TEST(VerifyJwtMore, KnowsNoEndOfATokenWithoutExp) {
    Judge judge;
    judge.issuer.require_exp = false;
    const auto claims = judge.claims(R"({"sub":"a"})");
    ASSERT_TRUE(claims);
    EXPECT_FALSE(claims->expires.has_value());
}

TEST(VerifyJwtMore, ComparesTypesInAnyCase) {
    Judge judge;
    judge.issuer.types = {"azAZ+jwt"};
    EXPECT_TRUE(judge.claims(R"({"exp":4102444800})", "AZaz+JWT"));
    EXPECT_TRUE(judge.claims(R"({"exp":4102444800})", "APPLICATION/azaz+jwt"));
    EXPECT_FALSE(judge.claims(R"({"exp":4102444800})", "@zaz+jwt"));
}

TEST(VerifyJwtMore, RefusesASessionThatIsNoName) {
    const Judge judge;
    const auto with_session = [&](const char* sid) {
        const auto claims = judge.claims(R"({"exp":4102444800,"sid":)" + std::string(sid) + "}");
        return claims ? claims->session : "! " + std::string(code(claims.error()));
    };
    EXPECT_EQ(with_session(R"("s")"), "s");
    EXPECT_EQ(with_session("-7"), "-7");
    for (const char* sid : {"null", "true", "1.5", "[]", "{}", R"(["s"])"}) {
        EXPECT_EQ(with_session(sid), "! claim_type") << sid;
    }
}

TEST(ReadClaims, RefusesWhatVerificationWould) {
    const auto read = [](const char* payload) {
        const auto document = jose::Document::parse(payload);
        const auto claims = jose::read_claims(*document, jose::Issuer());
        return std::string(claims ? "" : code(claims.error()));
    };
    EXPECT_EQ(read(R"({"exp":1,"nbf":4102444800})"), "") << "but for the instants";
    for (const char* name : {"exp", "nbf", "iat"}) {
        const std::string head = "{\"" + std::string(name) + "\":";
        EXPECT_EQ(read((head + "\"soon\"}").c_str()), "claim_type") << name;
        EXPECT_EQ(read((head + "-1}").c_str()), "claim_range") << name;
    }
    EXPECT_EQ(read(R"({"sub":{}})"), "claim_type");
    EXPECT_EQ(read(R"({"sid":[]})"), "claim_type");
}

TEST(ParseTokenMore, CallsFourPartsMalformedWhereverTheDotsStand) {
    const std::string header = base64url_encode(bytes_of(R"({"alg":"HS256"})"));
    for (const char* rest : {".e30..", ".e30.AA.", ".e30..AA", "...", ".", "", "..."}) {
        const auto token = jose::parse_token(header + rest);
        ASSERT_FALSE(token) << rest;
        EXPECT_EQ(code(token.error()), "tok_malformed") << rest;
    }
}

TEST(JsonMore, StopsAtItsOwnDepthWhateverTheLimitSays) {
    std::string deep;
    for (int i = 0; i < 65; ++i) deep += "{\"a\":";
    const auto parsed = jose::Document::parse(deep + "1" + std::string(65, '}'), {.depth = 100});
    ASSERT_FALSE(parsed);
    EXPECT_EQ(code(parsed.error()), "json_limit");
}

}  // namespace
