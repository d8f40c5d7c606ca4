#include "jose/signer.h"

#include <gtest/gtest.h>

#include "base/base64url.h"
#include "jose/token.h"

namespace gate::jose {
namespace {

using crypto::Alg;
using crypto::KeyError;

crypto::SigningKeyResult read(const std::string& jwk) {
    return read_signing_jwk(Document::parse(jwk)->root());
}

// RFC 8037 appendix A.1 and A.4.
constexpr const char* kEd25519 =
    R"({"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",)"
    R"("x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";

TEST(SignCompact, GivesTheTokenOfRfc8037) {
    const auto key = read(kEd25519);
    ASSERT_TRUE(key);
    EXPECT_EQ(sign_compact(**key, Alg::kEdDSA, R"({"alg":"EdDSA"})", "Example of Ed25519 signing"),
              "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7"
              "-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
}

// RFC 7515 appendix A.1.
TEST(SignCompact, GivesTheTokenOfRfc7515) {
    const auto key = read(
        R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcg)"
        R"(UuTwjAzZr1Z9CAow"})");
    ASSERT_TRUE(key);
    EXPECT_EQ(sign_compact(**key, Alg::kHS256, "{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}",
                           "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n "
                           "\"http://example.com/is_root\":true}"),
              "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODA"
              "sDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_w"
              "W1gFWFOEjXk");
}

TEST(SignCompact, RefusesAnAlgorithmOfAnotherKey) {
    const auto key = read(kEd25519);
    EXPECT_FALSE(sign_compact(**key, Alg::kES256, "{}", "{}"));
}

TEST(ReadSigningJwk, RefusesWhatCannotSign) {
    for (const char* jwk :
         {R"({})", R"({"kty":"AKP"})", R"({"kty":"EC"})", R"({"kty":"OKP"})", R"({"kty":"RSA"})",
          R"({"kty":"OKP","crv":"X25519","d":"AA"})", R"({"kty":"OKP","crv":"Ed25519"})",
          R"({"kty":"OKP","crv":"P-256","d":"AA"})", R"({"kty":"EC","crv":"P-256"})",
          R"({"kty":"oct"})", R"({"kty":"oct","k":"c2hvcnQ"})",
          R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
          R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})"}) {
        EXPECT_FALSE(read(jwk)) << jwk;
    }
}

TEST(ReadSigningJwk, ReadsTheKeyOfRfc7515) {
    EXPECT_TRUE(
        read(R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
             R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",)"
             R"("d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"})"));
}

}  // namespace
}  // namespace gate::jose
