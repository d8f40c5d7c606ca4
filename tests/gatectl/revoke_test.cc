#include <sys/stat.h>

#include "base/base64url.h"
#include "base/bytes.h"
#include "cache/journal_file.h"
#include "crypto/digest.h"
#include "tests/gatectl/tool.h"

namespace gate::ctl {
namespace {

using cache::JournalEntry;
using cache::RevocationKind;

constexpr auto kNow32 = static_cast<std::uint32_t>(kTestNow);

std::string encoded(std::string_view text) {
    return base64url_encode(bytes_of(text));
}

std::string token_of(std::string_view claims) {
    return encoded(R"({"alg":"ES256"})") + "." + encoded(claims) + "." +
           encoded(std::string(64, 's'));
}

class RevokeCommands : public DirectoryTest {
protected:
    ToolResult revoke(std::vector<std::string> words, const std::string& input = "") const {
        words.insert(words.begin(), "revoke");
        words.insert(words.end(), {"--file", path("journal")});
        return tool(words, input);
    }
    std::vector<JournalEntry> entries() const {
        std::vector<JournalEntry> all;
        const auto read =
            cache::read_journal(path("journal"), [&](const JournalEntry& e) { all.push_back(e); });
        EXPECT_TRUE(read) << read.error().text;
        return all;
    }
    // The one entry that these words append.
    JournalEntry entry(const std::vector<std::string>& words, const std::string& input = "") const {
        std::filesystem::remove(path("journal"));
        const ToolResult result = revoke(words, input);
        EXPECT_EQ(result.status, kDone) << result.err;
        const auto all = entries();
        EXPECT_EQ(all.size(), 1U);
        return all.empty() ? JournalEntry() : all[0];
    }
    // What is refused appends nothing.
    std::string refused(const std::vector<std::string>& words, int status = kUsage) const {
        std::filesystem::remove(path("journal"));
        const ToolResult result = revoke(words);
        EXPECT_EQ(result.status, status);
        EXPECT_EQ(result.out, "");
        EXPECT_FALSE(std::filesystem::exists(path("journal")));
        return result.err;
    }
};

TEST_F(RevokeCommands, ATokenIdDiesWheneverItWasIssued) {
    EXPECT_EQ(entry({"jti", "j1", "--issuer", "https://i"}),
              (JournalEntry{kTestNow, RevocationKind::kJti, "https://i", "j1", cache::kEveryInstant,
                            cache::kNeverForgotten}));
    EXPECT_EQ(entry({"jti", "j1", "--issuer", ""}).issuer, "");
    EXPECT_NE(refused({"jti", "j1", "--issuer", "i", "--issued-until", "never"}), "");
}

TEST_F(RevokeCommands, AKeyIsNamedByItsStore) {
    EXPECT_EQ(entry({"key", "k1", "--store", "partner"}),
              (JournalEntry{kTestNow, RevocationKind::kKey, "partner", "k1", cache::kEveryInstant,
                            cache::kNeverForgotten}));
    EXPECT_NE(refused({"key", "k1"}).find("--store"), std::string::npos);
    EXPECT_NE(refused({"key", "k1", "--store", ""}), "");
    EXPECT_NE(refused({"key", "k1", "--issuer", "i"}), "");
}

TEST_F(RevokeCommands, MarksKillWhatWasIssuedUntilNow) {
    const std::pair<const char*, RevocationKind> kinds[] = {{"sub", RevocationKind::kSubject},
                                                            {"sid", RevocationKind::kSession},
                                                            {"client", RevocationKind::kClient}};
    for (const auto& [name, kind] : kinds) {
        EXPECT_EQ(entry({name, "v", "--issuer", "i"}),
                  (JournalEntry{kTestNow, kind, "i", "v", kNow32, cache::kNeverForgotten}));
        EXPECT_EQ(entry({name, "v", "--issuer", "i", "--issued-until", "never"}).issued_until,
                  cache::kEveryInstant);
        EXPECT_EQ(entry({name, "v", "--issuer", "i", "--issued-until", "2027-01-15T07:59:58Z"})
                      .issued_until,
                  kNow32 - 2);
    }
    for (const char* wrong : {"1h", "", "2027-01-15", "1969-12-31T23:59:59Z", "always"}) {
        EXPECT_NE(refused({"sub", "v", "--issuer", "i", "--issued-until", wrong}), "") << wrong;
    }
}

TEST_F(RevokeCommands, EverythingMeansEverybodyUnlessAnIssuerIsNamed) {
    EXPECT_EQ(entry({"all"}), (JournalEntry{kTestNow, RevocationKind::kAll, "*", "", kNow32,
                                            cache::kNeverForgotten}));
    EXPECT_EQ(entry({"all", "--issuer", "i"}).issuer, "i");
    EXPECT_EQ(entry({"all", "--issuer", ""}).issuer, "");
    EXPECT_EQ(entry({"all", "--store", "partner"}).issuer, "partner");
    EXPECT_NE(refused({"all", "--issuer", "i", "--store", "s"}), "");
    EXPECT_NE(refused({"all", "value"}), "");
    EXPECT_NE(refused({"sub", "v", "--issuer", "*"}), "") << "would name nobody";
}

TEST_F(RevokeCommands, ExpiryIsAnInstantOrATime) {
    const std::vector<std::string> base{"jti", "j", "--issuer", "i"};
    const auto with = [&](std::vector<std::string> more) {
        more.insert(more.begin(), base.begin(), base.end());
        return more;
    };
    EXPECT_EQ(entry(with({"--expires", "2027-01-15T08:00:01Z"})).expires, kNow32 + 1);
    EXPECT_EQ(entry(with({"--expires", "1h"})).expires, kNow32 + 3600);
    EXPECT_EQ(entry(with({"--ttl", "2d"})).expires, kNow32 + 172800);
    EXPECT_EQ(entry(with({"--ttl", "90y"})).expires, cache::kNeverForgotten);
    for (const auto& wrong : {std::vector<std::string>{"--expires", "2027-01-15T08:00:00Z"},
                              {"--ttl", "0"},
                              {"--ttl", "x"},
                              {"--expires", "1h", "--ttl", "1h"}}) {
        EXPECT_NE(refused(with(wrong)), "");
    }
}

TEST_F(RevokeCommands, SaysThatAnEntryIsKeptForEver) {
    const ToolResult kept = revoke({"jti", "j", "--issuer", "i"});
    EXPECT_NE(kept.err.find("kept for ever"), std::string::npos);
    EXPECT_NE(kept.err.find("is new"), std::string::npos);
    EXPECT_EQ(kept.out,
              "revoked    jti \"j\" of issuer \"i\"\nissued     whenever\nforgotten  never\n");
    const ToolResult bounded = revoke({"sub", "j", "--issuer", "i", "--ttl", "1h"});
    EXPECT_EQ(bounded.err, "");
    EXPECT_EQ(bounded.out,
              "revoked    sub \"j\" of issuer \"i\"\nissued     until 2027-01-15T08:00:00Z\n"
              "forgotten  2027-01-15T09:00:00Z\n");
}

TEST_F(RevokeCommands, JsonHasNullForWheneverAndForEver) {
    EXPECT_EQ(revoke({"jti", "j\"", "--issuer", "i", "--json"}).out,
              "{\"written\":\"2027-01-15T08:00:00Z\",\"kind\":\"jti\",\"issuer\":\"i\","
              "\"value\":\"j\\\"\",\"issued_until\":null,\"expires\":null}\n");
    EXPECT_EQ(revoke({"all", "--ttl", "1h", "--json"}).out,
              "{\"written\":\"2027-01-15T08:00:00Z\",\"kind\":\"all\",\"issuer\":\"*\","
              "\"issued_until\":\"2027-01-15T08:00:00Z\",\"expires\":\"2027-01-15T09:00:00Z\"}\n");
    EXPECT_NE(revoke({"key", "k", "--store", "s", "--json"}).out.find("\"store\":\"s\""),
              std::string::npos);
}

TEST_F(RevokeCommands, RefusesWhatNoTokenHoldsOrNoLineCan) {
    EXPECT_NE(refused({"jti", "", "--issuer", "i"}).find("empty"), std::string::npos);
    EXPECT_NE(refused({"jti", "a\nb", "--issuer", "i"}).find("control"), std::string::npos);
    EXPECT_NE(refused({"jti", "a", "--issuer", "i\x7f"}).find("control"), std::string::npos);
    EXPECT_NE(refused({"jti", std::string(4100, 'x'), "--issuer", "i"}).find("too long"),
              std::string::npos);
    EXPECT_NE(refused({"jti", std::string(1400, ' '), "--issuer", "i"}).find("too long"),
              std::string::npos);
    EXPECT_NE(refused({"jti", "a"}).find("--issuer"), std::string::npos);
    EXPECT_EQ(tool({"revoke", "jti", "a", "--issuer", "i"}).status, kUsage) << "no --file";
    EXPECT_EQ(tool({"revoke"}).status, kUsage);
}

TEST_F(RevokeCommands, NothingIsToldBeforeItIsWritten) {
    const ToolResult result =
        tool({"revoke", "jti", "a", "--issuer", "i", "--file", path("no/journal")});
    EXPECT_EQ(result.status, kRefused);
    EXPECT_EQ(result.out, "");
    EXPECT_NE(result.err.find(path("no/journal")), std::string::npos);
}

TEST_F(RevokeCommands, TakesIssuerIdAndExpiryFromAToken) {
    const std::string token = token_of(R"({"iss":"https://i","jti":"j","exp":1800003600.5})");
    const JournalEntry wanted{kTestNow, RevocationKind::kJti, "https://i",
                              "j",      cache::kEveryInstant, kNow32 + 3601 + 300};
    EXPECT_EQ(entry({"token", "--token-file", "-"}, token + "\n"), wanted);
    EXPECT_EQ(entry({"token", "--token-file", write("token", token)}), wanted);
    const ToolResult result = revoke({"token", "--token-file", "-"}, token);
    EXPECT_NE(result.err.find("not verified"), std::string::npos);
}

TEST_F(RevokeCommands, ATokenWithoutAnIdGoesByItsDigest) {
    for (const char* claims : {R"({"sub":"s"})", R"({"jti":""})"}) {
        const std::string token = token_of(claims);
        const auto digest = crypto::sha256(bytes_of(token.substr(0, token.rfind('.'))));
        EXPECT_EQ(entry({"token", "--token-file", "-"}, token),
                  (JournalEntry{kTestNow, RevocationKind::kToken, "", to_hex(digest),
                                cache::kEveryInstant, cache::kNeverForgotten}));
    }
}

TEST_F(RevokeCommands, RefusesTokensThatNginxWouldNotRead) {
    for (const std::string& token :
         {std::string("abc"), token_of("[]"), token_of(R"({"jti":1})"), token_of(R"({"iss":1})"),
          token_of(R"({"jti":"j","exp":1799999700})")}) {
        const ToolResult result = revoke({"token", "--token-file", "-"}, token);
        EXPECT_EQ(result.status, kRefused) << token;
        EXPECT_NE(result.err, "");
        EXPECT_FALSE(std::filesystem::exists(path("journal")));
    }
    EXPECT_EQ(
        entry({"token", "--token-file", "-"}, token_of(R"({"jti":"j","exp":1799999701})")).expires,
        kNow32 + 1)
        << "it may still be within the leeway";
    EXPECT_EQ(revoke({"token"}).status, kUsage);
    EXPECT_EQ(revoke({"token", "--token-file", path("none")}).status, kRefused);
}

TEST_F(RevokeCommands, ListsWhatIsThere) {
    revoke({"jti", "j", "--issuer", "https://i", "--ttl", "1h"});
    revoke({"all"});
    const ToolResult list =
        tool({"revoke", "list", "--file", path("journal")}, "", kTestNow + 7200);
    EXPECT_EQ(list.status, kDone);
    EXPECT_NE(list.out.find("https://i  j      whenever"), std::string::npos) << list.out;
    EXPECT_NE(list.out.find("2027-01-15T09:00:00Z (past)"), std::string::npos) << list.out;
    const auto json = revoke({"list", "--json"}).json();
    EXPECT_EQ(json.root().member("entries").size(), 2U);
    EXPECT_EQ(json.root().member("entries").at(0).member("value").string(), "j");
}

TEST_F(RevokeCommands, CompactsAndCounts) {
    revoke({"jti", "j", "--issuer", "i", "--ttl", "1h"});
    revoke({"jti", "j", "--issuer", "i"});
    EXPECT_EQ(revoke({"compact"}).out, "1 line left out\n");
    EXPECT_EQ(revoke({"compact", "--json"}).out, "{\"left_out\":0}\n");
    EXPECT_EQ(entries().size(), 1U);
}

TEST_F(RevokeCommands, CheckNamesEveryDamagedLine) {
    for (const char* value : {"a", "b", "c"})
        revoke({"jti", value, "--issuer", "i", "--ttl", "1h"});
    EXPECT_EQ(revoke({"check"}).out, "3 entries, 0 of them expired, none damaged\n");
    EXPECT_EQ(
        tool({"revoke", "check", "--json", "--file", path("journal")}, "", kTestNow + 3600).out,
        "{\"entries\":3,\"expired\":3,\"damaged\":[]}\n");
    std::string text = read("journal");
    text[12] ^= 1;
    text[text.size() - 3] ^= 1;
    write("journal", text);
    const ToolResult check = revoke({"check"});
    EXPECT_EQ(check.status, kRefused);
    EXPECT_NE(check.out.find("journal:1: checksum"), std::string::npos) << check.out;
    EXPECT_NE(check.out.find("journal:3: checksum"), std::string::npos) << check.out;
    EXPECT_EQ(check.out.find("journal:2:"), std::string::npos);
    EXPECT_NE(check.err.find("2 damaged lines"), std::string::npos);
    const auto json = revoke({"check", "--json"}).json();
    EXPECT_EQ(json.root().member("damaged").at(1).member("line").integer(), 3);
    EXPECT_EQ(revoke({"list"}).status, kRefused);
    EXPECT_EQ(revoke({"compact"}).status, kRefused);
    text[text.size() - 3] ^= 1;
    text.back() = '!';
    write("journal", text);
    EXPECT_NE(revoke({"check"}).out.find("journal:3:"), std::string::npos);
}

TEST_F(RevokeCommands, AMissingJournalIsRefusedWhereItIsRead) {
    for (const char* name : {"list", "compact", "check"}) {
        const ToolResult result = revoke({name});
        EXPECT_EQ(result.status, kRefused) << name;
        EXPECT_NE(result.err.find("No such file"), std::string::npos) << result.err;
        EXPECT_FALSE(std::filesystem::exists(path("journal")));
        EXPECT_EQ(tool({"revoke", name}).status, kUsage);
    }
}

}  // namespace
}  // namespace gate::ctl
