#include "apikey/key_format.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "apikey/key_digest.h"

namespace gate::apikey {
namespace {

// Made with Python: zlib.crc32 of everything before the last underscore, in base62.
constexpr std::string_view kZeroKey = "acme_0000000000000000000000000000000000000000000_2X8XW8";
constexpr std::string_view kMixedKey =
    "acme_live-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789zZyYxXw_3bIQwh";

const KeyFormat kAcme{"acme_", true};

Reason reason(const KeyFormat& format, std::string_view key) {
    const auto status = check_key(format, key);
    return status ? Reason::kNone : status.error();
}

std::string generated(std::string_view prefix = "acme_") {
    const auto key = generate_key(prefix);
    EXPECT_TRUE(key);
    return key.value_or("");
}

TEST(GenerateKey, HasPrefixSecretAndChecksum) {
    const std::string key = generated();
    EXPECT_EQ(key.size(), 5u + 43u + 1u + 6u);
    EXPECT_TRUE(key.starts_with("acme_"));
    EXPECT_EQ(key[5 + 43], '_');
    EXPECT_EQ(reason(kAcme, key), Reason::kNone);
    EXPECT_EQ(reason({"", true}, generated("")), Reason::kNone);
}

TEST(GenerateKey, UsesAllDigitsAndNeverRepeats) {
    std::set<std::string> keys;
    std::set<char> digits;
    for (int i = 0; i < 300; ++i) {
        const std::string key = generated();
        keys.insert(key);
        digits.insert(key.begin() + 5, key.begin() + 48);
    }
    EXPECT_EQ(keys.size(), 300u);
    EXPECT_EQ(digits.size(), 62u);
}

TEST(GenerateKey, SpreadsOverTheLeadingAndTheLastDigit) {
    std::set<char> first;
    std::set<char> last;
    for (int i = 0; i < 600; ++i) {
        const std::string key = generated();
        first.insert(key[5]);
        last.insert(key[47]);
    }
    // 2^256 is 0.98 of 62^43, so the first digit is nearly uniform.
    EXPECT_GT(first.size(), 50u);
    EXPECT_GT(last.size(), 50u);
}

TEST(CheckKey, AcceptsKeysMadeElsewhereByTheSameRule) {
    EXPECT_EQ(reason(kAcme, kZeroKey), Reason::kNone);
    EXPECT_EQ(reason({"acme_live-", true}, kMixedKey), Reason::kNone);
}

TEST(CheckKey, FindsEveryMistypedCharacter) {
    const std::string key = generated();
    for (std::size_t i = 5; i < key.size(); ++i) {
        if (i == 48) continue;
        std::string typo = key;
        typo[i] = typo[i] == 'x' ? 'y' : 'x';
        EXPECT_EQ(reason(kAcme, typo), Reason::kKeyChecksum) << typo;
    }
}

TEST(CheckKey, CoversThePrefixByTheChecksum) {
    std::string other(kZeroKey);
    other.replace(0, 5, "acmf_");
    EXPECT_EQ(reason({"acmf_", true}, other), Reason::kKeyChecksum);
}

TEST(CheckKey, RefusesOtherShapes) {
    const std::string key = generated();
    std::string no_mark = key;
    no_mark[48] = '-';
    for (const std::string& text :
         {std::string(), std::string("acme_"), key.substr(0, key.size() - 1), key + "0", key + key,
          " " + key, key + " ", "Acme_" + key.substr(5), key.substr(5), no_mark, key.substr(0, 48),
          std::string(600, 'a')}) {
        EXPECT_EQ(reason(kAcme, text), Reason::kKeyMalformed) << text;
    }
}

TEST(CheckKey, RefusesDigitsOutsideBase62) {
    for (char bad : {'_', '-', '/', ':', '@', '[', '`', '{', ' ', '\0', '\x7f', '\xc3'}) {
        for (std::size_t at : {5u, 47u, 49u, 54u}) {
            std::string text(kZeroKey);
            text[at] = bad;
            EXPECT_EQ(reason(kAcme, text), Reason::kKeyMalformed) << text;
        }
    }
}

TEST(CheckKey, TakesAnyVisibleAsciiWithoutChecksum) {
    const KeyFormat foreign{"x-", false};
    EXPECT_EQ(reason(foreign, "x-a"), Reason::kNone);
    EXPECT_EQ(reason(foreign, "x-!~"), Reason::kNone);
    EXPECT_EQ(reason(foreign, "x-"), Reason::kKeyMalformed);
    EXPECT_EQ(reason(foreign, "y-a"), Reason::kKeyMalformed);
    EXPECT_EQ(reason(foreign, "x-a b"), Reason::kKeyMalformed);
    EXPECT_EQ(reason(foreign, "x-a\x7f"), Reason::kKeyMalformed);
    EXPECT_EQ(reason(foreign, "x-\xc3\xa9"), Reason::kKeyMalformed);
    EXPECT_EQ(reason({"", false}, ""), Reason::kKeyMalformed);
    EXPECT_EQ(reason({"", false}, "0"), Reason::kNone);
}

TEST(CheckKey, LimitsTheSize) {
    const KeyFormat foreign{"", false};
    EXPECT_EQ(reason(foreign, std::string(kMaxKeySize, 'a')), Reason::kNone);
    EXPECT_EQ(reason(foreign, std::string(kMaxKeySize + 1, 'a')), Reason::kKeyMalformed);
}

TEST(PrefixProblem, AllowsLettersDigitsUnderscoreAndDash) {
    EXPECT_FALSE(prefix_problem(""));
    EXPECT_FALSE(prefix_problem("acme_live-09AZaz"));
    EXPECT_FALSE(prefix_problem(std::string(kMaxPrefixSize, 'a')));
    EXPECT_EQ(prefix_problem(std::string(kMaxPrefixSize + 1, 'a')),
              "a key prefix may have at most 64 characters");
    for (const char* bad : {"a b", "a.b", "a:", "\xc3\xa9", "a\n", "$x", "a/"}) {
        EXPECT_EQ(prefix_problem(bad), "a key prefix may hold letters, digits, '_' and '-' only");
    }
}

TEST(DigestKey, IsSha256OrHmacOfTheWholeText) {
    // openssl dgst -sha256; the same with -hmac pepper.
    EXPECT_EQ(to_hex(digest_key("abc", DigestKind::kSha256, bytes_of("pepper"))),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(to_hex(digest_key("abc", DigestKind::kHmacSha256, bytes_of("pepper"))),
              "95ac8d48c4886bae06029b433c46c419019bf03a65a842069d84b7755b1d08c4");
    EXPECT_NE(digest_key("abc", DigestKind::kHmacSha256, bytes_of("peppes")),
              digest_key("abc", DigestKind::kHmacSha256, bytes_of("pepper")));
}

}  // namespace
}  // namespace gate::apikey
