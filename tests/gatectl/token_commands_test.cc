#include "tests/gatectl/tool.h"

namespace gate::ctl {
namespace {

constexpr const char* kSecretText =
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

// RFC 8037 appendix A.1.
constexpr const char* kPrivateJwk =
    R"({"kty":"OKP","crv":"Ed25519","kid":"ed","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",)"
    R"("x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";
constexpr const char* kPublicJwk =
    R"({"kty":"OKP","crv":"Ed25519","kid":"ed","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";

class TokenCommands : public DirectoryTest {
protected:
    void SetUp() override {
        DirectoryTest::SetUp();
        write("secret", std::string(kSecretText) + "\n");
        write("private", kPrivateJwk);
        write("public", kPublicJwk);
    }
    std::string sign(std::vector<std::string> options, const std::string& input = "") const {
        options.insert(options.begin(), {"token", "sign"});
        if (std::find(options.begin(), options.end(), "--secret-file") == options.end()) {
            options.insert(options.end(), {"--key", path("private")});
        }
        const ToolResult result = tool(options, input);
        EXPECT_EQ(result.status, kDone) << result.err;
        return result.out;
    }
    // "" for an accepted token, otherwise the reason.
    std::string verify(const std::string& token, std::vector<std::string> options = {},
                       Seconds now = kTestNow) const {
        options.insert(options.begin(), {"token", "verify", "--json", "--jwks", path("public")});
        const ToolResult result = tool(options, token, now);
        const auto json = result.json();
        const bool accepted = json.root().member("verdict").string() == "accept";
        EXPECT_EQ(result.status, accepted ? kDone : kRefused) << result.err;
        return std::string(json.root().member("reason").string().value_or(result.err));
    }
    jose::Document inspect(const std::string& token) const {
        return tool({"token", "inspect", "--json"}, token).json();
    }
};

TEST_F(TokenCommands, SignAddsTimesAndId) {
    const auto json = inspect(sign({"--subject", "alice"}));
    const auto claims = json.root().member("claims");
    EXPECT_EQ(claims.member("sub").string(), "alice");
    EXPECT_EQ(claims.member("iat").integer(), kTestNow);
    EXPECT_EQ(claims.member("exp").integer(), kTestNow + 3600);
    EXPECT_EQ(claims.member("jti").string().value_or("").size(), 32u);
    EXPECT_EQ(json.root().member("header").dump(), R"({"alg":"EdDSA","typ":"JWT","kid":"ed"})");
    EXPECT_EQ(json.root().member("verified").boolean(), false);
    EXPECT_EQ(json.root().member("signature_octets").integer(), 64);
}

TEST_F(TokenCommands, SignTakesClaimsFromOptionsAndStandardInput) {
    const std::string token = sign({"--bare",
                                    "--claims",
                                    "-",
                                    "--issuer",
                                    "https://i",
                                    "--audience",
                                    "a",
                                    "--scope",
                                    "x y",
                                    "--role",
                                    "r",
                                    "--group",
                                    "g",
                                    "--group",
                                    "h",
                                    "--client",
                                    "c",
                                    "--claim",
                                    "tier=gold",
                                    "--claim-json",
                                    "level={\"n\":[1]}",
                                    "--claim",
                                    "sub=later"},
                                   R"({"sub":"first","extra":true,"iss":"replaced"})");
    EXPECT_EQ(inspect(token).root().member("claims").dump(),
              R"({"sub":"later","extra":true,"iss":"https://i","client_id":"c","scope":"x y",)"
              R"("aud":"a","roles":["r"],"groups":["g","h"],"tier":"gold","level":{"n":[1]}})");
    const std::string two = sign({"--bare", "--audience", "a", "--audience", "b"});
    EXPECT_EQ(inspect(two).root().member("claims").dump(), R"({"aud":["a","b"]})");
}

TEST_F(TokenCommands, SignRefusesWhatIsNoClaim) {
    const auto status = [this](std::vector<std::string> options) {
        options.insert(options.begin(), {"token", "sign", "--key", path("private")});
        return tool(options, "[]").status;
    };
    EXPECT_EQ(status({"--claim", "x"}), kUsage);
    EXPECT_EQ(status({"--claim-json", "a=1,\"b\":2"}), kUsage);
    EXPECT_EQ(status({"--claim-json", "a=x"}), kUsage);
    EXPECT_EQ(status({"--claims", "-"}), kUsage);
    EXPECT_EQ(status({"--claims", path("none")}), kUsage);
    EXPECT_EQ(status({"--ttl", "x"}), kUsage);
    EXPECT_EQ(status({"--alg", "RS256"}), kRefused);
    EXPECT_EQ(status({"--alg", "none"}), kRefused);
    EXPECT_EQ(status({"--secret-file", path("secret")}), kRefused);
    EXPECT_EQ(tool({"token", "sign"}).status, kRefused);
}

TEST_F(TokenCommands, SignChoosesAKeyOfASetByKid) {
    write("set", "{\"keys\":[" + std::string(kPrivateJwk) +
                     R"(,{"kty":"oct","kid":"hs","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMko_)"
                     R"(qQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0"}]})");
    const std::vector<std::string> words{"token", "sign", "--key", path("set")};
    EXPECT_NE(tool(words).err.find("choose one by --kid"), std::string::npos);
    auto with_kid = words;
    with_kid.insert(with_kid.end(), {"--kid", "ed"});
    EXPECT_EQ(verify(tool(with_kid).out), "");
    with_kid.back() = "none";
    EXPECT_NE(tool(with_kid).err.find("no key with the kid \"none\""), std::string::npos);
}

TEST_F(TokenCommands, VerifyJudgesByTheRulesGiven) {
    const std::string token =
        sign({"--issuer", "https://i", "--audience", "a", "--ttl", "60s", "--type", "at+jwt"});
    EXPECT_EQ(verify(token), "");
    EXPECT_EQ(verify(token, {"--issuer", "https://i", "--audience", "b", "--audience", "a"}), "");
    EXPECT_EQ(verify(token, {"--issuer", "https://j"}), "iss_mismatch");
    EXPECT_EQ(verify(token, {"--audience", "b"}), "aud_mismatch");
    EXPECT_EQ(verify(token, {"--type", "JWT"}), "typ_bad");
    EXPECT_EQ(verify(token, {"--alg", "RS256"}), "alg_not_allowed");
    EXPECT_EQ(verify(token, {}, kTestNow + 60), "exp_past");
    EXPECT_EQ(verify(token, {"--leeway", "5s"}, kTestNow + 60), "");
    EXPECT_EQ(verify("a.b"), "tok_malformed");
    std::string forged = token;
    forged[forged.size() - 10] = forged[forged.size() - 10] == 'A' ? 'B' : 'A';
    EXPECT_EQ(verify(forged), "sig_bad");
}

TEST_F(TokenCommands, VerifyTellsUsageFromRefusal) {
    const auto status = [this](std::vector<std::string> options, const std::string& input) {
        options.insert(options.begin(), {"token", "verify"});
        return tool(options, input).status;
    };
    EXPECT_EQ(status({}, "x"), kUsage);
    EXPECT_EQ(status({"--jwks", path("public")}, ""), kUsage);
    EXPECT_EQ(status({"--jwks", path("public"), "--alg", "rs256"}, "x"), kUsage);
    EXPECT_EQ(status({"--jwks", path("public"), "--leeway", "301s"}, "x"), kUsage);
    EXPECT_EQ(status({"--jwks", path("none")}, "x"), kRefused);
    EXPECT_EQ(status({"--jwks", path("public")}, "x"), kRefused);
}

TEST_F(TokenCommands, SecretFilesSignAndVerify) {
    const std::string token = sign({"--secret-file", path("secret"), "--alg", "HS512"});
    const auto result = tool({"token", "verify", "--secret-file", path("secret")}, token);
    EXPECT_EQ(result.status, kDone);
    EXPECT_TRUE(result.out.starts_with("accept\n"));
    const std::vector<std::string> hex{"token",        "verify",     "--secret-file",
                                       path("secret"), "--encoding", "hex"};
    EXPECT_EQ(tool(hex, token).out, "reject alg_not_allowed\n");
    EXPECT_EQ(
        tool({"token", "verify", "--secret-file", path("secret"), "--encoding", "x"}, token).status,
        kRefused);
}

TEST_F(TokenCommands, InspectSaysThatNothingIsVerified) {
    const ToolResult result = tool({"token", "inspect"}, sign({"--subject", "a\x1b[31m"}));
    EXPECT_EQ(result.status, kDone);
    EXPECT_TRUE(result.out.starts_with("NOT VERIFIED"));
    EXPECT_NE(result.out.find("(2027-01-15T09:00:00Z)"), std::string::npos);
    EXPECT_EQ(result.out.find('\x1b'), std::string::npos);
}

TEST_F(TokenCommands, InspectShowsWhatCanBeReadOfABrokenToken) {
    EXPECT_EQ(tool({"token", "inspect"}, "a.b").status, kRefused);
    EXPECT_EQ(tool({"token", "inspect"}, "a.b.c.d").status, kRefused);
    const ToolResult half = tool({"token", "inspect"}, "eyJhIjoxfQ.!.c");
    EXPECT_EQ(half.status, kRefused);
    EXPECT_NE(half.out.find("a            1"), std::string::npos) << half.out;
    EXPECT_NE(half.out.find("claims is not base64url"), std::string::npos);
}

TEST_F(TokenCommands, JwksShowTellsUsedFromSkippedKeys) {
    write("set", "{\"keys\":[" + std::string(kPublicJwk) +
                     R"(,{"kty":"RSA","kid":"old","n":"AQ","e":"AQAB"}]})");
    const ToolResult text = tool({"jwks", "show", path("set")});
    EXPECT_EQ(text.status, kDone);
    EXPECT_NE(text.out.find("ed   OKP   Ed25519  EdDSA       yes"), std::string::npos) << text.out;
    EXPECT_NE(text.out.find("(jwk_weak)"), std::string::npos) << text.out;
    const auto json = tool({"jwks", "show", path("set"), "--json"}).json();
    EXPECT_EQ(json.root().member("keys").at(0).member("used").boolean(), true);
    EXPECT_EQ(json.root().member("keys").at(1).member("reason").string(), "jwk_weak");
}

TEST_F(TokenCommands, JwksShowWarnsOfPrivateMembersAndRefusesBrokenFiles) {
    EXPECT_NE(tool({"jwks", "show", path("private")}).err.find("private members"),
              std::string::npos);
    EXPECT_EQ(tool({"jwks", "show", write("bad", "{}")}).status, kRefused);
    EXPECT_EQ(tool({"jwks", "show"}).status, kUsage);
}

}  // namespace
}  // namespace gate::ctl
