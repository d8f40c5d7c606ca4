#include "gatectl/explain.h"

#include <map>

#include "apikey/key_table.h"
#include "jose/signer.h"
#include "tests/gatectl/tool.h"

namespace gate::ctl {
namespace {

constexpr const char* kSecret = "0123456789abcdef0123456789abcdef";
constexpr const char* kClaims =
    R"({"iss":"https://i","aud":"a","sub":"sensitive","exp":1800000060,)"
    R"("iat":1800000000,"scope":"x y","roles":["r"]})";

class ExplainToken : public testing::Test {
protected:
    ExplainToken() {
        issuer_.name = "corp";
        issuer_.iss = "https://i";
        issuer_.audiences = {"a"};
        issuer_.algorithms = {crypto::Alg::kHS256};
        jose::KeySet keys;
        EXPECT_TRUE(keys.add_secret(bytes_of(kSecret), "k1", {}));
        keys_ = std::make_shared<const jose::KeySet>(std::move(keys));
    }
    static std::string sign(std::string_view claims,
                            std::string_view header = R"({"alg":"HS256","kid":"k1"})") {
        const auto key = crypto::SigningKey::from_secret(bytes_of(kSecret));
        return *jose::sign_compact(**key, crypto::Alg::kHS256, header, claims);
    }
    Explanation explain(std::string_view token) const {
        policy::TrustedIssuer trusted;
        trusted.issuer = &issuer_;
        trusted.keys = keys_;
        return explain_token(token, trusted, kTestNow);
    }
    // "check: reason" of the failed one; every check before is ok, every one behind not reached.
    std::string failure(std::string_view token) const {
        const Explanation explanation = explain(token);
        std::string found = "accepted";
        for (const Check& check : explanation.checks) {
            if (check.outcome == CheckOutcome::kFailed) {
                EXPECT_EQ(found, "accepted") << "two failures";
                found = check.name + ": " + std::string(code(explanation.reason));
                EXPECT_TRUE(check.detail.ends_with(code(explanation.reason))) << check.detail;
                continue;
            }
            EXPECT_EQ(check.outcome,
                      found == "accepted" ? CheckOutcome::kOk : CheckOutcome::kNotReached)
                << check.name;
        }
        EXPECT_EQ(explanation.checks.size(), 12u);
        EXPECT_EQ(found == "accepted", explanation.reason == Reason::kNone)
            << code(explanation.reason);
        return found;
    }

    jose::Issuer issuer_;
    std::shared_ptr<const jose::KeySet> keys_;
};

TEST_F(ExplainToken, PassesEveryCheckOfAGoodToken) {
    EXPECT_EQ(failure(sign(kClaims)), "accepted");
}

TEST_F(ExplainToken, NamesTheCheckThatFails) {
    EXPECT_EQ(failure("a.b"), "shape: tok_malformed");
    EXPECT_EQ(failure(sign(kClaims, R"({"alg":"none"})")), "shape: alg_none");
    EXPECT_EQ(failure(sign("[]")), "payload: json_bad");
    EXPECT_EQ(failure(sign(R"({"iss":"https://j","exp":1800000060})")), "issuer: iss_mismatch");
    EXPECT_EQ(failure(sign(R"({"iss":5,"exp":1800000060})")), "issuer: claim_type");
    EXPECT_EQ(failure(sign(kClaims, R"({"alg":"RS256"})")), "algorithm: alg_not_allowed");
    EXPECT_EQ(failure(sign(R"({"iss":"https://i"})")), "times: exp_missing");
    EXPECT_EQ(failure(sign(R"({"iss":"https://i","exp":1799999999})")), "times: exp_past");
    EXPECT_EQ(failure(sign(R"({"iss":"https://i","exp":"x"})")), "times: claim_type");
    EXPECT_EQ(failure(sign(kClaims, R"({"alg":"HS256","kid":"k2"})")), "key: kid_unknown");
    EXPECT_EQ(failure(sign(kClaims) + "="), "shape: tok_b64");
    EXPECT_EQ(failure(sign(R"({"iss":"https://i","exp":1800000060,"aud":"b"})")),
              "audience: aud_mismatch");
    EXPECT_EQ(failure(sign(R"({"iss":"https://i","exp":1800000060,"aud":5})")),
              "audience: claim_type");
    EXPECT_EQ(failure(sign(R"({"iss":"https://i","exp":1800000060,"aud":"a","sub":[]})")),
              "identity: claim_type");
    EXPECT_EQ(failure(sign(R"({"iss":"https://i","exp":1800000060,"aud":"a","sub":"x\ny"})")),
              "identity: claim_unsafe");
}

TEST_F(ExplainToken, NamesABadSignature) {
    std::string token = sign(kClaims);
    char& last = token[token.size() - 5];
    last = last == 'A' ? 'B' : 'A';
    EXPECT_EQ(failure(token), "signature: sig_bad");
}

TEST_F(ExplainToken, TellsLifetimeFromRequiredClaims) {
    issuer_.types = {"at+jwt"};
    EXPECT_EQ(failure(sign(kClaims)), "type: typ_bad");
    issuer_.types.clear();
    issuer_.require_claims = {"sub", "dept"};
    EXPECT_EQ(failure(sign(kClaims)), "required claims: claim_missing");
    issuer_.require_claims.clear();
    issuer_.max_lifetime = 59;
    EXPECT_EQ(failure(sign(kClaims)), "lifetime: lifetime_exceeded");
    EXPECT_EQ(failure(sign(R"({"iss":"https://i","exp":1800000060,"aud":"a"})")),
              "lifetime: claim_missing");
    issuer_.require_exp = false;
    EXPECT_EQ(failure(sign(R"({"iss":"https://i","aud":"a"})")), "lifetime: exp_missing");
}

TEST_F(ExplainToken, TakesTokensWithoutIssWhereTheBlockSaysOff) {
    issuer_.iss.reset();
    EXPECT_EQ(failure(sign(R"({"exp":1800000060,"aud":"a"})")), "accepted");
    EXPECT_EQ(failure(sign(kClaims)), "issuer: iss_mismatch");
}

TEST_F(ExplainToken, ShowsNoValueOfAClaim) {
    const Explanation explanation = explain(sign(kClaims));
    for (const Check& check : explanation.checks) {
        EXPECT_EQ(check.detail.find("sensitive"), std::string::npos);
        EXPECT_EQ(check.detail.find("18000000"), std::string::npos) << check.detail;
    }
    std::map<std::string, std::string> shapes;
    for (const ClaimShape& claim : explanation.claims) {
        shapes[claim.name] = claim.type + " " + std::to_string(claim.length);
    }
    EXPECT_EQ(shapes["sub"], "string 9");
    EXPECT_EQ(shapes["roles"], "array 1");
    EXPECT_EQ(shapes["exp"], "integer 0");
    EXPECT_EQ(shapes.size(), 7u);
}

TEST_F(ExplainToken, ShowsTheShapeOfEveryType) {
    const Explanation explanation =
        explain(sign(R"({"a":null,"b":true,"c":1.5,"d":{"x":1,"y":2}})"));
    std::string types;
    for (const ClaimShape& claim : explanation.claims) types += claim.type + " ";
    EXPECT_EQ(types, "null boolean number object ");
    EXPECT_EQ(explanation.claims[3].length, 2u);
}

TEST(NameOf, KnowsEveryOutcome) {
    EXPECT_EQ(name_of(CheckOutcome::kOk), "ok");
    EXPECT_EQ(name_of(CheckOutcome::kFailed), "failed");
    EXPECT_EQ(name_of(CheckOutcome::kNotReached), "not reached");
    EXPECT_EQ(name_of(CheckOutcome::kNotJudged), "not judged");
}

class ExplainKey : public testing::Test {
protected:
    ExplainKey() { store_.format.prefix = "p_"; }
    // A store of one key whose record is `members` beside id and digest.
    Explanation explain(const std::string& members, std::optional<Bytes> address = std::nullopt,
                        std::string_view presented = "") {
        const std::string digest = to_hex(apikey::digest_key(
            key_, store_.digest, store_.peppers.empty() ? Bytes() : store_.peppers[0]->bytes()));
        const std::string file =
            R"({"version":1,"keys":[{"id":"k1","digest":")" + digest + "\"," + members + "}]}";
        const auto table = apikey::KeyTable::parse(file);
        EXPECT_TRUE(table) << table.error();
        const KeySource source{
            .find = [&](const crypto::Digest256& digest) { return table->find(digest); },
            .name = "1 records"};
        return explain_key(presented.empty() ? std::string_view(key_) : presented, store_, source,
                           address, kTestNow);
    }
    static std::string failure(const Explanation& explanation) {
        for (const Check& check : explanation.checks) {
            if (check.outcome == CheckOutcome::kFailed) {
                return check.name + ": " + std::string(code(explanation.reason));
            }
        }
        return explanation.reason == Reason::kNone ? "accepted" : "no check failed";
    }

    std::string key_ = *apikey::generate_key("p_");
    policy::KeyStore store_;
};

TEST_F(ExplainKey, NamesTheCheckThatFails) {
    const std::string active = R"("status":"active")";
    EXPECT_EQ(failure(explain(active)), "accepted");
    EXPECT_EQ(failure(explain(active, {}, "p_x")), "shape: key_malformed");
    EXPECT_EQ(failure(explain(active, {}, *apikey::generate_key("p_"))), "lookup: key_unknown");
    EXPECT_EQ(failure(explain(R"("status":"suspended")")), "status: key_suspended");
    EXPECT_EQ(failure(explain(R"("status":"revoked")")), "status: key_revoked");
    EXPECT_EQ(failure(explain(active + R"(,"expires":1800000000)")), "times: key_expired");
    EXPECT_EQ(failure(explain(active + R"(,"not_before":1800000001)")), "times: key_not_yet");
    EXPECT_EQ(failure(explain(active + R"(,"owner":"a")")), "accepted");
}

TEST_F(ExplainKey, JudgesNetworksOnlyWithAnAddress) {
    const std::string members = R"("status":"active","cidr":["192.0.2.0/24"])";
    const std::array<std::uint8_t, 4> inside{192, 0, 2, 1};
    const std::array<std::uint8_t, 4> outside{192, 0, 3, 1};
    EXPECT_EQ(failure(explain(members, Bytes(inside))), "accepted");
    EXPECT_EQ(failure(explain(members, Bytes(outside))), "address: key_address");
    const Explanation unknown = explain(members);
    EXPECT_EQ(failure(unknown), "accepted");
    EXPECT_EQ(unknown.checks[4].outcome, CheckOutcome::kNotJudged);
}

TEST_F(ExplainKey, LooksUnderEveryPepper) {
    store_.digest = apikey::DigestKind::kHmacSha256;
    const std::string first(32, 'a');
    const std::string second(32, 'b');
    store_.peppers = {std::make_shared<const Secret>(bytes_of(first))};
    EXPECT_EQ(failure(explain(R"("status":"active")")), "accepted");
    store_.peppers.push_back(std::make_shared<const Secret>(bytes_of(second)));
    EXPECT_EQ(failure(explain(R"("status":"active")", {}, *apikey::generate_key("p_"))),
              "lookup: key_unknown");
}

}  // namespace
}  // namespace gate::ctl
