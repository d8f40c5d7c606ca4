#include "policy/source.h"

#include <gtest/gtest.h>

namespace gate::policy {
namespace {

Candidate candidate(SourceType type, std::string_view value, std::size_t count = 1) {
    return {.type = type,
            .for_jwt = true,
            .for_key = false,
            .count = count,
            .value = value,
            .cross_site = false};
}

Candidate cross_site(std::string_view value, std::size_t count = 1) {
    Candidate cookie = candidate(SourceType::kCookie, value, count);
    cookie.cross_site = true;
    return cookie;
}

// The value that counts, "-" for none, or the code of the refusal.
std::string select(const std::vector<Candidate>& candidates,
                   ConflictRule rule = ConflictRule::kRefuse) {
    const auto selected = select_credential(candidates, rule);
    if (!selected) return std::string(code(selected.error()));
    return selected->candidate == nullptr ? "-" : std::string(selected->candidate->value);
}

constexpr auto kHeader = SourceType::kHeader;
constexpr auto kCookie = SourceType::kCookie;
constexpr auto kArgument = SourceType::kArgument;
constexpr auto kVariable = SourceType::kVariable;

TEST(SourceType, HasNamesForTheLog) {
    EXPECT_EQ(name_of(kHeader), "header");
    EXPECT_EQ(name_of(kCookie), "cookie");
    EXPECT_EQ(name_of(kArgument), "query");
    EXPECT_EQ(name_of(kVariable), "variable");
    EXPECT_EQ(name_of(static_cast<SourceType>(9)), "");
}

TEST(SelectCredential, FindsNoneWhereNothingWasSent) {
    EXPECT_EQ(select({}), "-");
    EXPECT_EQ(select({candidate(kHeader, "", 0), candidate(kCookie, "", 0)}), "-");
}

TEST(SelectCredential, TakesTheOneThatWasSent) {
    EXPECT_EQ(select({candidate(kHeader, "", 0), candidate(kArgument, "b")}), "b");
    EXPECT_EQ(select({candidate(kCookie, "c")}), "c");
    EXPECT_EQ(select({candidate(kHeader, "", 0), candidate(kCookie, "c")}), "c");
    EXPECT_EQ(select({candidate(kVariable, "v")}), "v");
}

TEST(SelectCredential, PointsAtTheCandidate) {
    const std::vector<Candidate> candidates{candidate(kHeader, "", 0), candidate(kArgument, "b")};
    const auto selected = select_credential(candidates, ConflictRule::kRefuse);
    ASSERT_TRUE(selected);
    EXPECT_EQ(selected->candidate, &candidates[1]);
}

TEST(SelectCredential, CountsAnEmptyCredentialAsSent) {
    EXPECT_EQ(select({candidate(kHeader, ""), candidate(kCookie, "c")}), "");
    EXPECT_EQ(select({candidate(kHeader, ""), candidate(kArgument, "b")}), "src_conflict");
}

TEST(SelectCredential, LetsCookiesGiveWay) {
    EXPECT_EQ(select({candidate(kCookie, "c"), candidate(kHeader, "h")}), "h");
    EXPECT_EQ(select({candidate(kCookie, "c"), candidate(kArgument, "a")}), "a");
    EXPECT_EQ(select({candidate(kCookie, "c"), candidate(kVariable, "v")}), "v");
    EXPECT_EQ(select({candidate(kCookie, "c", 2), candidate(kHeader, "h")}), "h");
    EXPECT_EQ(select({candidate(kCookie, "c"), candidate(kHeader, "h")}, ConflictRule::kFirst),
              "h");
}

TEST(SelectCredential, RefusesTwoDifferentCredentials) {
    EXPECT_EQ(select({candidate(kHeader, "h"), candidate(kArgument, "a")}), "src_conflict");
    EXPECT_EQ(select({candidate(kCookie, "c"), candidate(kCookie, "d")}), "src_conflict");
    EXPECT_EQ(select({candidate(kHeader, "h"), candidate(kHeader, "h"), candidate(kVariable, "v")}),
              "src_conflict");
}

TEST(SelectCredential, AcceptsTheSameCredentialTwice) {
    EXPECT_EQ(select({candidate(kHeader, "x"), candidate(kArgument, "x")}), "x");
}

TEST(SelectCredential, TakesTheFirstWhereToldSo) {
    EXPECT_EQ(select({candidate(kHeader, "h"), candidate(kArgument, "a")}, ConflictRule::kFirst),
              "h");
    EXPECT_EQ(select({candidate(kArgument, "a"), candidate(kHeader, "h")}, ConflictRule::kFirst),
              "a");
}

TEST(SelectCredential, RefusesRepetition) {
    EXPECT_EQ(select({candidate(kHeader, "x", 2)}), "header_multiple");
    EXPECT_EQ(select({candidate(kVariable, "x", 2)}), "header_multiple");
    EXPECT_EQ(select({candidate(kCookie, "x", 2)}), "cookie_multiple");
    EXPECT_EQ(select({candidate(kArgument, "x", 3)}), "arg_multiple");
    EXPECT_EQ(select({candidate(static_cast<SourceType>(9), "x", 2)}), "src_conflict");
    EXPECT_EQ(select({candidate(kHeader, "x"), candidate(kArgument, "x", 2)}), "arg_multiple");
}

TEST(SelectCredential, JudgesOnlyWhatCounts) {
    EXPECT_EQ(select({candidate(kHeader, "h"), candidate(kArgument, "a", 2)}, ConflictRule::kFirst),
              "h");
    EXPECT_EQ(select({candidate(kHeader, "h", 2), candidate(kArgument, "a")}, ConflictRule::kFirst),
              "header_multiple");
    EXPECT_EQ(select({cross_site("c", 2)}), "-");
}

TEST(SelectCredential, LeavesOutCookiesFromOtherSites) {
    const std::vector<Candidate> candidates{cross_site("c")};
    const auto selected = select_credential(candidates, ConflictRule::kRefuse);
    ASSERT_TRUE(selected);
    EXPECT_EQ(selected->candidate, nullptr);
    EXPECT_TRUE(selected->cross_site);
    EXPECT_EQ(select({cross_site("c"), candidate(kCookie, "d")}), "d");
}

TEST(SelectCredential, DoesNotBlameACookieThatNobodyAsked) {
    const std::vector<Candidate> none{candidate(kCookie, "", 0), [] {
                                          Candidate absent = cross_site("", 0);
                                          return absent;
                                      }()};
    EXPECT_FALSE(select_credential(none, ConflictRule::kRefuse)->cross_site);
    const std::vector<Candidate> header{cross_site("c"), candidate(kHeader, "h")};
    EXPECT_FALSE(select_credential(header, ConflictRule::kRefuse)->cross_site);
    EXPECT_EQ(select(header), "h");
    const std::vector<Candidate> ours{candidate(kCookie, "c")};
    EXPECT_FALSE(select_credential(ours, ConflictRule::kRefuse)->cross_site);
}

TEST(SelectCredential, IgnoresTheMarkOnOtherSources) {
    Candidate header = candidate(kHeader, "h");
    header.cross_site = true;
    EXPECT_EQ(select({header}), "h");
}

}  // namespace
}  // namespace gate::policy
