#include "gatectl/configuration.h"

#include "tests/gatectl/tool.h"

namespace gate::ctl {
namespace {

TEST(FindBlock, NamesTheDeclaredOnes) {
    const auto dump = jose::Document::parse(R"({"l":[{"name":"a"},{"name":"b"}]})");
    const auto list = dump->root().member("l");
    EXPECT_TRUE(find_block(list, "issuer", "b"));
    const auto missing = find_block(list, "issuer", "c");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error(), "no issuer \"c\"; declared: a, b");
}

TEST(IssuerFrom, TakesEveryRule) {
    const auto block = jose::Document::parse(
        R"({"name":"n","issuer":"i","algorithms":["ES256"],"audience_off":false,"audiences":["a"],)"
        R"("types":["t"],"leeway_exp":1,"leeway_nbf":2,"leeway_iat":3,"require_exp":false,)"
        R"("max_lifetime":9,"require_claims":["c"],"subject_claim":["s"],"client_claim":["cc"],)"
        R"("scope_claim":["sc"],"role_claim":["rc"],"group_claim":["gc"]})");
    const jose::Issuer issuer = issuer_from(block->root());
    EXPECT_EQ(issuer.iss, "i");
    EXPECT_EQ(issuer.algorithms, crypto::AlgSet{crypto::Alg::kES256});
    EXPECT_EQ(issuer.audiences, std::vector<std::string>{"a"});
    EXPECT_EQ(issuer.types, std::vector<std::string>{"t"});
    EXPECT_EQ(issuer.leeway_exp, 1);
    EXPECT_EQ(issuer.leeway_nbf, 2);
    EXPECT_EQ(issuer.leeway_iat, 3);
    EXPECT_FALSE(issuer.require_exp);
    EXPECT_EQ(issuer.max_lifetime, 9);
    EXPECT_EQ(issuer.require_claims, std::vector<std::string>{"c"});
    EXPECT_EQ(issuer.subject_claim, jose::ClaimNames{"s"});
    EXPECT_EQ(issuer.client_claim, jose::ClaimNames{"cc"});
    EXPECT_EQ(issuer.scope_claim, jose::ClaimNames{"sc"});
    EXPECT_EQ(issuer.role_claim, jose::ClaimNames{"rc"});
    EXPECT_EQ(issuer.group_claim, jose::ClaimNames{"gc"});
}

TEST(IssuerFrom, KeepsTheIssuerOff) {
    const auto block = jose::Document::parse(R"({"name":"n"})");
    EXPECT_EQ(issuer_from(block->root()).iss, std::nullopt);
}

class ConfigurationCommand : public DirectoryTest {
protected:
    // A program in nginx's place.
    std::string fake(const std::string& script) const {
        const std::string file = write("nginx", "#!/bin/sh\n" + script + "\n");
        std::filesystem::permissions(file, std::filesystem::perms::owner_all);
        return file;
    }
};

TEST_F(ConfigurationCommand, ShowsNginxsErrors) {
    const auto result = tool({"routes", "--nginx", fake("echo 'nginx: [emerg] bad'; exit 1")});
    EXPECT_EQ(result.status, kRefused);
    EXPECT_NE(result.err.find("nginx: [emerg] bad"), std::string::npos);
}

TEST_F(ConfigurationCommand, RefusesAConfigurationWithoutTheModule) {
    const auto result = tool({"routes", "--nginx", fake("exit 0")});
    EXPECT_EQ(result.status, kRefused);
    EXPECT_NE(result.err.find("told nothing of nginx-gate"), std::string::npos);
}

TEST_F(ConfigurationCommand, RefusesADumpOfAnotherVersion) {
    const auto result = tool({"routes", "--nginx", fake("echo '{\"version\":2}' >\"$GATE_DUMP\"")});
    EXPECT_EQ(result.status, kRefused);
    EXPECT_NE(result.err.find("another version"), std::string::npos);
}

TEST_F(ConfigurationCommand, PassesFileAndPrefixAndLeavesNothingBehind) {
    const auto result =
        tool({"routes", "--json", "-c", "/some/conf", "-p", "/pre", "--nginx",
              fake("stat -c '%a' \"$GATE_DUMP\" >" + path("mode") + "; echo \"$GATE_DUMP\" >" +
                   path("dump") + "; echo \"$@\" >" + path("args") +
                   "; echo '{\"version\":1,\"servers\":[]}' >\"$GATE_DUMP\"")});
    EXPECT_EQ(result.status, kDone) << result.err;
    EXPECT_EQ(result.out, "{\"routes\":[]}\n");
    EXPECT_EQ(read("args"), "-t -c /some/conf -p /pre/\n");
    EXPECT_EQ(read("mode"), "600\n");
    std::string dump = read("dump");
    dump.pop_back();
    EXPECT_FALSE(std::filesystem::exists(dump));
}

TEST_F(ConfigurationCommand, ExplainNeedsExactlyOneBlock) {
    EXPECT_EQ(tool({"explain"}, "x").status, kUsage);
    EXPECT_EQ(tool({"explain", "--issuer", "a", "--store", "b"}, "x").status, kUsage);
    const std::string nginx = fake("echo '{\"version\":1}' >\"$GATE_DUMP\"");
    const auto unknown = tool({"explain", "--issuer", "a", "--nginx", nginx}, "x");
    EXPECT_EQ(unknown.status, kRefused);
    EXPECT_EQ(unknown.err, "gatectl: no issuer \"a\"; declared: none\n");
    EXPECT_EQ(tool({"explain", "--issuer", "a", "--nginx", nginx}, "").status, kUsage);
}

}  // namespace
}  // namespace gate::ctl
