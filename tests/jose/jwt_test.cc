#include "jose/jwt.h"

#include <gtest/gtest.h>

#include <string>

#include "jose/signer.h"
#include "tests/support/pem_fixtures.h"

namespace gate::jose {
namespace {

using crypto::Alg;
using crypto::SigningKey;

constexpr Seconds kClock = 1800000000;

// One EC key signs, and the set holds its public part under "e".
struct Bench {
    Bench() {
        signer = *SigningKey::from_pem(test::kP256Private);
        EXPECT_TRUE(keys.add_pem(test::kP256Public, "e", {}));
        issuer.iss = "https://idp";
        issuer.audiences = {"orders", "billing"};
    }

    std::string token(const std::string& claims, const std::string& header = "") const {
        const std::string head = R"({"alg":"ES256")" + header + "}";
        return sign_compact(*signer, Alg::kES256, head, claims).value_or("");
    }

    Result<Claims, Reason> judge(const std::string& claims, const std::string& header = "") const {
        const std::string text = token(claims, header);
        const auto parsed = parse_token(text);
        if (!parsed) return fail(parsed.error());
        const auto payload = Document::parse(text_of(parsed->payload));
        if (!payload) return fail(payload.error());
        return verify_jwt(*parsed, *payload, issuer, keys, kClock);
    }

    std::string reason(const std::string& claims, const std::string& header = "") const {
        const auto claims_or = judge(claims, header);
        return std::string(claims_or ? "" : code(claims_or.error()));
    }

    // A good token with more claims, which come first.
    std::string with(const std::string& claims, const std::string& header = "") const {
        return reason("{" + claims + R"("iss":"https://idp","aud":"orders","exp":1800000001})",
                      header);
    }

    std::shared_ptr<SigningKey> signer;
    KeySet keys;
    Issuer issuer;
};

std::string times(const std::string& claims, const Issuer& issuer = {}) {
    const auto document = Document::parse("{" + claims + "}");
    if (!document) return std::string(code(document.error()));
    const auto status = check_times(*document, issuer, kClock);
    return std::string(status ? "" : code(status.error()));
}

TEST(VerifyJwt, GivesTheClaimsOfAGoodToken) {
    const Bench bench;
    const auto claims = bench.judge(
        R"({"iss":"https://idp","aud":["x","billing"],"exp":1800000000.9,"sub":"u1","azp":"web",)"
        R"("scope":"a b","roles":["r"],"groups":"g","jti":"j"})");
    ASSERT_TRUE(claims);
    EXPECT_EQ(claims->subject, "u1");
    EXPECT_EQ(claims->issuer, "https://idp");
    EXPECT_EQ(claims->client, "web");
    EXPECT_EQ(claims->scopes, (std::vector<std::string_view>{"a", "b"}));
    EXPECT_EQ(claims->roles, std::vector<std::string_view>{"r"});
    EXPECT_EQ(claims->groups, std::vector<std::string_view>{"g"});
    EXPECT_EQ(claims->expires, 1800000000);
    EXPECT_EQ(claims->payload.root().member("jti").string(), "j");
}

TEST(VerifyJwt, ChecksTheAlgorithmFirstAndTimesBeforeTheSignature) {
    Bench bench;
    EXPECT_EQ(bench.reason(R"({"exp":1})"), "exp_past");
    EXPECT_EQ(bench.reason(R"({"exp":1800000001,"iss":"x"})", R"(,"kid":"unknown")"),
              "kid_unknown");
    EXPECT_EQ(bench.reason(R"({"exp":1800000001,"iss":"x"})"), "iss_mismatch");
    bench.issuer.algorithms = {Alg::kRS256};
    EXPECT_EQ(bench.reason(R"({"exp":1})"), "alg_not_allowed");
}

TEST(VerifyJwt, ComparesTheIssuerByItsOctets) {
    Bench bench;
    const auto iss = [&bench](const std::string& value) {
        return bench.reason("{\"iss\":" + value + R"(,"aud":"orders","exp":1800000001})");
    };
    EXPECT_EQ(iss("\"https://idp\""), "");
    for (const char* other : {"\"https://idp/\"", "\"https://id\"", "\"HTTPS://idp\"", "\"\"",
                              "\"https://idp\\u0000\""}) {
        EXPECT_EQ(iss(other), "iss_mismatch") << other;
    }
    for (const char* other : {"1", "null", "[\"https://idp\"]", "{}", "true"}) {
        EXPECT_EQ(iss(other), "claim_type") << other;
    }
    EXPECT_EQ(bench.reason(R"({"aud":"orders","exp":1800000001})"), "iss_mismatch");
    bench.issuer.iss.reset();
    EXPECT_EQ(bench.reason(R"({"aud":"orders","exp":1800000001})"), "");
}

TEST(VerifyJwt, WantsOneOfItsAudiencesExactly) {
    Bench bench;
    const auto aud = [&bench](const std::string& value) {
        return bench.reason(R"({"iss":"https://idp","exp":1800000001,"aud":)" + value + "}");
    };
    EXPECT_EQ(aud("\"billing\""), "");
    EXPECT_EQ(aud(R"(["a","orders"])"), "");
    for (const char* other : {"\"order\"", "\"orders2\"", "\"Orders\"", "\"\"", "[]",
                              "\"orders billing\"", "[\"orders,billing\"]"}) {
        EXPECT_EQ(aud(other), "aud_mismatch") << other;
    }
    for (const char* other : {"1", "null", "{\"orders\":1}", "[\"orders\",1]", "[[\"orders\"]]"}) {
        EXPECT_EQ(aud(other), "claim_type") << other;
    }
    EXPECT_EQ(bench.reason(R"({"iss":"https://idp","exp":1800000001})"), "aud_mismatch");
    bench.issuer.audiences.clear();
    EXPECT_EQ(aud("\"orders\""), "aud_mismatch");
    bench.issuer.audience_off = true;
    EXPECT_EQ(aud("\"any\""), "");
    EXPECT_EQ(aud("1"), "claim_type");
    EXPECT_EQ(bench.reason(R"({"iss":"https://idp","exp":1800000001})"), "");
}

TEST(VerifyJwt, WantsOneOfItsTypesWhereAnyAreNamed) {
    Bench bench;
    EXPECT_EQ(bench.with("", R"(,"typ":"dpop+jwt")"), "");
    bench.issuer.types = {"at+jwt", "application/x+jwt"};
    for (const char* typ :
         {"at+jwt", "AT+JWT", "application/at+jwt", "Application/at+JWT", "x+jwt"}) {
        EXPECT_EQ(bench.with("", R"(,"typ":")" + std::string(typ) + "\""), "") << typ;
    }
    for (const char* typ : {"JWT", "", "at+jwt ", "at+jw", "application/", "text/at+jwt",
                            "application/application/at+jwt"}) {
        EXPECT_EQ(bench.with("", R"(,"typ":")" + std::string(typ) + "\""), "typ_bad") << typ;
    }
    EXPECT_EQ(bench.with(""), "typ_bad");
}

TEST(VerifyJwt, WantsEveryRequiredClaim) {
    Bench bench;
    bench.issuer.require_claims = {"sub", "realm.tenant"};
    EXPECT_EQ(bench.with(R"("sub":"u","realm":{"tenant":0},)"), "");
    EXPECT_EQ(bench.with(R"("sub":"u","realm.tenant":false,)"), "");
    EXPECT_EQ(bench.with(R"("sub":"u","realm":{"tenant":null},)"), "claim_missing");
    EXPECT_EQ(bench.with(R"("realm":{"tenant":1},)"), "claim_missing");
}

TEST(VerifyJwt, LimitsTheLifetime) {
    Bench bench;
    bench.issuer.max_lifetime = 100;
    EXPECT_EQ(bench.with(R"("iat":1799999901,)"), "");
    EXPECT_EQ(bench.with(R"("iat":1799999900,)"), "lifetime_exceeded");
    EXPECT_EQ(bench.with(R"("iat":1799999900.5,)"), "lifetime_exceeded");
    EXPECT_EQ(bench.with(""), "claim_missing");
    bench.issuer.require_exp = false;
    EXPECT_EQ(bench.reason(R"({"iss":"https://idp","aud":"orders","iat":1})"), "exp_missing");
}

TEST(VerifyJwt, TakesASubjectFromAStringOrAnInteger) {
    Bench bench;
    const auto subject = [&bench](const std::string& sub) {
        const auto claims =
            bench.judge(R"({"iss":"https://idp","aud":"orders","exp":1800000001)" + sub + "}");
        return claims ? claims->subject : "! " + std::string(code(claims.error()));
    };
    EXPECT_EQ(subject(""), "");
    EXPECT_EQ(subject(R"(,"sub":"")"), "");
    EXPECT_EQ(subject(R"(,"sub":"u")"), "u");
    EXPECT_EQ(subject(R"(,"sub":42)"), "42");
    EXPECT_EQ(subject(R"(,"sub":-9223372036854775808)"), "-9223372036854775808");
    for (const char* sub : {"1.0", "true", "null", "[]", "[\"u\"]", "{}"}) {
        EXPECT_EQ(subject(",\"sub\":" + std::string(sub)), "! claim_type") << sub;
    }
    bench.issuer.subject_claim = {"uid", "sub"};
    EXPECT_EQ(subject(R"(,"sub":"u","uid":7)"), "7");
    EXPECT_EQ(subject(R"(,"sub":"u","uid":"")"), "");
    EXPECT_EQ(subject(R"(,"sub":"u","uid":null)"), "! claim_type");
    EXPECT_EQ(subject(R"(,"sub":true,"uid":"u")"), "! claim_type");
}

TEST(VerifyJwt, RefusesIdentityClaimsOfAnotherType) {
    const Bench bench;
    EXPECT_EQ(bench.with(R"("jti":"",)"), "");
    EXPECT_EQ(bench.with(R"("jti":1,)"), "claim_type");
    EXPECT_EQ(bench.with(R"("jti":null,)"), "claim_type");
    EXPECT_EQ(bench.with(R"("client_id":1,)"), "claim_type");
    EXPECT_EQ(bench.with(R"("client_id":"a","azp":1,)"), "");
    EXPECT_EQ(bench.with(R"("scope":{"a":1},"roles":1,"groups":[1],)"), "");
}

TEST(CheckTimes, TakesExpAsTheFirstInstantThatIsTooLate) {
    EXPECT_EQ(times(R"("exp":1800000001)"), "");
    EXPECT_EQ(times(R"("exp":1800000000)"), "exp_past");
    EXPECT_EQ(times(R"("exp":1800000000.5)"), "");
    EXPECT_EQ(times(R"("exp":0)"), "exp_past");
    EXPECT_EQ(times(""), "exp_missing");
    Issuer lenient;
    lenient.leeway_exp = 10;
    EXPECT_EQ(times(R"("exp":1799999991)", lenient), "");
    EXPECT_EQ(times(R"("exp":1799999990)", lenient), "exp_past");
    lenient.require_exp = false;
    EXPECT_EQ(times("", lenient), "");
}

TEST(CheckTimes, ToleratesALittleFutureInNbfAndIat) {
    const std::string exp = R"("exp":1900000000,)";
    EXPECT_EQ(times(exp + R"("nbf":1800000010)"), "");
    EXPECT_EQ(times(exp + R"("nbf":1800000010.5)"), "nbf_future");
    EXPECT_EQ(times(exp + R"("nbf":1800000011)"), "nbf_future");
    EXPECT_EQ(times(exp + R"("iat":1800000010)"), "");
    EXPECT_EQ(times(exp + R"("iat":1800000011)"), "iat_future");
    Issuer strict;
    strict.leeway_nbf = 0;
    strict.leeway_iat = 0;
    EXPECT_EQ(times(exp + R"("nbf":1800000000)", strict), "");
    EXPECT_EQ(times(exp + R"("nbf":1800000001)", strict), "nbf_future");
    EXPECT_EQ(times(exp + R"("iat":1800000001)", strict), "iat_future");
}

TEST(CheckTimes, RefusesOtherTypesAndNumbersOutOfRange) {
    for (const char* name : {"exp", "nbf", "iat"}) {
        const auto with = [name](const std::string& value) {
            const std::string claim = "\"" + std::string(name) + "\":" + value;
            return times(std::string_view(name) == "exp" ? claim : "\"exp\":1900000000," + claim);
        };
        for (const char* value : {"\"1900000000\"", "true", "null", "[]", "[1]", "{}"}) {
            EXPECT_EQ(with(value), "claim_type") << name << value;
        }
        for (const char* value :
             {"-1", "-0.5", "9007199254740993", "9223372036854775807", "9223372036854775808",
              "-9223372036854775808", "1e19", "1e300", "1e400", "-1e400"}) {
            EXPECT_EQ(with(value), "claim_range") << name << value;
        }
    }
    EXPECT_EQ(times(R"("exp":9007199254740992)"), "");
    EXPECT_EQ(times(R"("exp":1900000000,"nbf":0,"iat":1e-400)"), "");
    EXPECT_EQ(times(R"("exp":1900000000,"nbf":-0.0)"), "");
}

TEST(IssuerOf, IsAStringOrAbsent) {
    EXPECT_EQ(**issuer_of(*Document::parse(R"({"iss":"x"})")), "x");
    EXPECT_EQ(*issuer_of(*Document::parse("{}")), std::nullopt);
    EXPECT_EQ(issuer_of(*Document::parse(R"({"iss":null})")).error(), Reason::kClaimType);
}

// Signature level: which key is picked.
struct Picker {
    explicit Picker(KeySet set) : keys(std::move(set)) {}

    std::string operator()(const SigningKey& signer, Alg alg, const std::string& kid = "",
                           crypto::AlgSet allowed = crypto::AlgSet::all()) const {
        const std::string header = R"({"alg":")" + std::string(info(alg).name) + "\"" +
                                   (kid.empty() ? "" : R"(,"kid":")" + kid + "\"") + "}";
        const auto text = sign_compact(signer, alg, header, "{}");
        const auto token = parse_token(*text);
        const auto status = verify_signature(*token, keys, allowed);
        return std::string(status ? "" : code(status.error()));
    }

    KeySet keys;
};

KeySet three_keys(const std::string& ec_kid, const std::string& rsa_kid) {
    KeySet keys;
    EXPECT_TRUE(keys.add_pem(test::kP256Public, ec_kid, {}));
    EXPECT_TRUE(keys.add_pem(test::kRsaPublic, rsa_kid, {Alg::kRS256}));
    EXPECT_TRUE(keys.add_pem(test::kEd25519Public, "ed", {}));
    return keys;
}

TEST(VerifySignature, PicksTheKeyThatTheKidNames) {
    const auto ec = *SigningKey::from_pem(test::kP256Private);
    const auto rsa = *SigningKey::from_pem(test::kRsaPrivate);
    const Picker pick(three_keys("ec", "rsa"));
    EXPECT_EQ(pick(*ec, Alg::kES256, "ec"), "");
    EXPECT_EQ(pick(*rsa, Alg::kRS256, "rsa"), "");
    EXPECT_EQ(pick(*ec, Alg::kES256, "rsa"), "alg_key_mismatch");
    EXPECT_EQ(pick(*rsa, Alg::kRS512, "rsa"), "alg_key_mismatch");
    EXPECT_EQ(pick(*ec, Alg::kES256, "EC"), "kid_unknown");
    EXPECT_EQ(pick(*ec, Alg::kES256, "e"), "kid_unknown");
}

TEST(VerifySignature, TriesEveryFittingKeyWithoutAKid) {
    const auto ec = *SigningKey::from_pem(test::kP256Private);
    const auto rsa = *SigningKey::from_pem(test::kRsaPrivate);
    const auto p384 = *SigningKey::from_pem(test::kP384Private);
    const Picker pick(three_keys("ec", "rsa"));
    EXPECT_EQ(pick(*ec, Alg::kES256), "");
    EXPECT_EQ(pick(*rsa, Alg::kRS256), "");
    EXPECT_EQ(pick(*rsa, Alg::kPS256), "alg_key_mismatch");
    EXPECT_EQ(pick(*p384, Alg::kES384), "alg_key_mismatch");
    KeySet two;
    EXPECT_TRUE(two.add_secret(ByteVector(32, 1), "", {}));
    EXPECT_TRUE(two.add_secret(ByteVector(32, 2), "", {}));
    const Picker rotated(std::move(two));
    EXPECT_EQ(rotated(**SigningKey::from_secret(ByteVector(32, 1)), Alg::kHS256), "");
    EXPECT_EQ(rotated(**SigningKey::from_secret(ByteVector(32, 2)), Alg::kHS256), "");
    EXPECT_EQ(rotated(**SigningKey::from_secret(ByteVector(32, 3)), Alg::kHS256), "sig_bad");
}

TEST(VerifySignature, FallsBackToKeysWithoutKidOnly) {
    const auto ec = *SigningKey::from_pem(test::kP256Private);
    const auto rsa = *SigningKey::from_pem(test::kRsaPrivate);
    const auto ed = *SigningKey::from_pem(test::kEd25519Private);
    const Picker pick(three_keys("", "rsa"));
    EXPECT_EQ(pick(*ec, Alg::kES256, "any"), "");
    EXPECT_EQ(pick(*rsa, Alg::kRS256, "any"), "alg_key_mismatch");
    EXPECT_EQ(pick(*ed, Alg::kEdDSA, "any"), "alg_key_mismatch");
    EXPECT_EQ(pick(*ed, Alg::kEdDSA, "ed"), "");
}

TEST(VerifySignature, TellsWhyAKeyWasLeftOut) {
    KeySet keys;
    EXPECT_TRUE(keys.add_jwks(
        R"({"keys":[{"kty":"RSA","kid":"w","n":"_w","e":"AQAB"},{"kty":"EC","kid":"u","use":"enc"},)"
        R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})"));
    const auto rsa = *SigningKey::from_pem(test::kRsaPrivate);
    const Picker pick(std::move(keys));
    EXPECT_EQ(pick(*rsa, Alg::kRS256, "w"), "jwk_weak");
    EXPECT_EQ(pick(*rsa, Alg::kRS256, "u"), "jwk_use");
    EXPECT_EQ(pick(*rsa, Alg::kRS256, "x"), "alg_key_mismatch");
}

TEST(VerifySignature, NeedsAKeyAndAnAllowedAlgorithm) {
    const auto ec = *SigningKey::from_pem(test::kP256Private);
    EXPECT_EQ(Picker(KeySet())(*ec, Alg::kES256), "jwks_unavailable");
    const Picker pick(three_keys("ec", "rsa"));
    EXPECT_EQ(pick(*ec, Alg::kES256, "", {Alg::kRS256}), "alg_not_allowed");
    EXPECT_EQ(pick(*ec, Alg::kES256, "", {}), "alg_not_allowed");
}

TEST(ClaimList, SplitsAtSingleSpacesAndTakesElementsWhole) {
    using List = std::vector<std::string_view>;
    const auto document = Document::parse(
        R"({"s":"a b","t":" a  b ","a":["a b","","c"],"e":"","n":1,"m":["a",1],"o":{"a":1},)"
        R"("r":{"s":{"x":["p"]}},"c":"a,b","tab":"a\tb","z":null})");
    const Value root = document->root();
    const auto spaced = [&root](const ClaimNames& names) {
        return claim_list(root, names, ListForm::kSpaceSeparated);
    };
    const auto plain = [&root](const ClaimNames& names) {
        return claim_list(root, names, ListForm::kPlain);
    };
    EXPECT_EQ(spaced({"s"}), (List{"a", "b"}));
    EXPECT_EQ(plain({"s"}), List{"a b"});
    EXPECT_EQ(spaced({"t"}), (List{"a", "b"}));
    EXPECT_EQ(spaced({"a"}), (List{"a b", "c"}));
    EXPECT_EQ(plain({"a"}), (List{"a b", "c"}));
    EXPECT_EQ(spaced({"tab"}), List{"a\tb"});
    EXPECT_EQ(spaced({"c"}), List{"a,b"});
    EXPECT_EQ(plain({"r.s.x"}), List{"p"});
    for (const char* name : {"e", "n", "m", "o", "z", "absent", "s.a"}) {
        EXPECT_EQ(spaced({name}), List{}) << name;
        EXPECT_EQ(plain({name}), List{}) << name;
    }
    // The first claim present counts alone, whatever its type.
    EXPECT_EQ(spaced({"absent", "s"}), (List{"a", "b"}));
    EXPECT_EQ(spaced({"n", "s"}), List{});
    EXPECT_EQ(spaced({"z", "s"}), List{});
    EXPECT_EQ(spaced({}), List{});
}

}  // namespace
}  // namespace gate::jose
