#include "jose/jwk_text.h"

#include <gtest/gtest.h>

#include <string>

#include "crypto/sign.h"
#include "tests/support/pem_fixtures.h"

namespace gate {
namespace {

using crypto::Alg;
using crypto::AlgSet;

constexpr AlgSet kAll = AlgSet::all();

std::string published(std::string_view jwks, AlgSet allowed = kAll) {
    jose::KeySet keys;
    const auto added = keys.add_jwks(jwks);
    EXPECT_TRUE(added) << (added ? "" : added.error().detail);
    return public_jwks(keys, allowed);
}

// RFC 7517 appendix A.1, with "sig" for the EC key's "enc"; RFC 8037 appendix A.2.
constexpr std::string_view kEc = R"("kty":"EC","kid":"1","use":"sig","alg":"ES256","crv":"P-256",)"
                                 R"("x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",)"
                                 R"("y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM")";
constexpr std::string_view kRsaOctets =
    R"("n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_)"
    R"(BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2Q)"
    R"(vzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZ)"
    R"(u0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB")";
constexpr std::string_view kOkp =
    R"("kty":"OKP","kid":"ed","use":"sig","alg":"EdDSA","crv":"Ed25519",)"
    R"("x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")";

std::string rsa(std::string_view alg) {
    return R"("kty":"RSA","kid":"2011-04-29","use":"sig",)" +
           (alg.empty() ? "" : R"("alg":")" + std::string(alg) + R"(",)") + std::string(kRsaOctets);
}

std::string set_of(std::initializer_list<std::string_view> keys) {
    std::string text;
    for (std::string_view key : keys) text += (text.empty() ? "{" : ",{") + std::string(key) + "}";
    return R"({"keys":[)" + text + "]}";
}

std::string thumbprint_of(std::string_view members) {
    jose::KeySet keys;
    EXPECT_TRUE(keys.add_jwks(set_of({members})));
    return jose::thumbprint(*keys.keys().front().key);
}

// RFC 7638 section 3.1, RFC 8037 appendix A.3.
TEST(Thumbprint, IsThatOfTheStandards) {
    EXPECT_EQ(thumbprint_of(rsa("RS256")), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    EXPECT_EQ(thumbprint_of(kOkp), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

// openssl dgst -sha256 of {"crv":"P-256","kty":"EC","x":..,"y":..}.
TEST(Thumbprint, OfAnEcKeyIsInTheOrderOfNames) {
    EXPECT_EQ(thumbprint_of(kEc), "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s");
}

TEST(Thumbprint, TellsNothingOfASecret) {
    EXPECT_EQ(
        thumbprint_of(
            R"("kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")"),
        "");
}

TEST(PublicJwks, SaysTheKeysOfTheStandards) {
    const std::string all = set_of({kEc, rsa("RS256"), kOkp});
    EXPECT_EQ(published(all), all);
}

TEST(PublicJwks, NamesAnAlgorithmWhereOneIsLeft) {
    const std::string any = set_of({rsa("")});
    EXPECT_EQ(published(any), any);
    EXPECT_EQ(published(any, {Alg::kRS256, Alg::kRS512}), any);
    EXPECT_EQ(published(any, {Alg::kPS384, Alg::kES256}), set_of({rsa("PS384")}));
}

TEST(PublicJwks, LeavesOutWhatMayNotServe) {
    const std::string all = set_of({kEc, rsa("RS256"), kOkp});
    EXPECT_EQ(published(all, {Alg::kEdDSA}), set_of({kOkp}));
    EXPECT_EQ(published(all, {Alg::kRS512}), set_of({}));
}

TEST(PublicJwks, NeverTellsASecret) {
    const std::string secret =
        R"("kty":"oct","kid":"s","k":"YSBzZWNyZXQgdGhhdCBub2JvZHkgZWxzZSBoYXMgd3JpdHRlbiAx")";
    EXPECT_EQ(published(set_of({secret})), set_of({}));
}

// Every member of the private form is there to be left out (RFC 8037 appendix A.1).
TEST(PublicJwks, NeverTellsAPrivatePart) {
    const std::string with_private =
        std::string(kOkp) + R"(,"d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")";
    EXPECT_EQ(published(set_of({with_private})), set_of({kOkp}));
}

TEST(PublicJwks, IsReadBackAsTheKeysOfEveryKind) {
    const struct {
        const char* secret;
        const char* open;
        Alg alg;
    } kKinds[] = {
        {test::kRsaPrivate, test::kRsaPublic, Alg::kPS256},
        {test::kP256Private, test::kP256PublicCompressed, Alg::kES256},
        {test::kP384Private, test::kP384Public, Alg::kES384},
        {test::kP521Private, test::kP521Public, Alg::kES512},
        {test::kEd25519Private, test::kEd25519Public, Alg::kEdDSA},
        {test::kEd448Private, test::kEd448Public, Alg::kEdDSA},
    };
    for (const auto& kind : kKinds) {
        jose::KeySet keys;
        ASSERT_TRUE(keys.add_pem(kind.open, "", {}));
        jose::KeySet read;
        ASSERT_TRUE(read.add_jwks(public_jwks(keys, {kind.alg}), jose::JwksOrigin::kUrl));
        ASSERT_EQ(read.keys().size(), 1u);
        EXPECT_EQ(read.keys()[0].algs.names(), info(kind.alg).name);
        const Bytes message = bytes_of("m");
        const auto signature =
            (*crypto::SigningKey::from_pem(kind.secret))->sign(kind.alg, message);
        EXPECT_TRUE(read.keys()[0].key->verify(kind.alg, message, *signature)) << kind.open;
    }
}

}  // namespace
}  // namespace gate
