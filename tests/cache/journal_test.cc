#include "cache/journal.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace gate::cache {
namespace {

using Kind = RevocationKind;

constexpr Seconds kMorning = 1800000000;  // 2027-01-15T08:00:00Z
constexpr std::uint32_t kHourLater = 1800003600;

struct Sample {
    const char* line;
    JournalEntry entry;
};

// Checksums by another implementation of CRC-32C.
std::vector<Sample> samples() {
    return {
        {"56549488 2027-01-15T08:00:00Z jti https%3A%2F%2Fidp.example.com a-b_c.d~E9 - "
         "2027-01-15T09:00:00Z",
         {kMorning, Kind::kJti, "https://idp.example.com", "a-b_c.d~E9", kEveryInstant,
          kHourLater}},
        {"134f4ab0 2027-01-15T08:00:00Z all %2A - 2027-01-15T08:00:00Z -",
         {kMorning, Kind::kAll, "*", "", static_cast<std::uint32_t>(kMorning), kNeverForgotten}},
        {"66999478 1970-01-01T00:00:00Z sub - %2D 1970-01-01T00:00:00Z 2106-02-07T06:28:14Z",
         {0, Kind::kSubject, "", "-", 0, 0xfffffffe}},
        {"63cdf751 2027-01-15T08:00:00Z sub a%0Ab%00%FF%25 %C3%A9%20x - -",
         {kMorning, Kind::kSubject, std::string("a\nb\0\xff%", 6), "\xc3\xa9 x", kEveryInstant,
          kNeverForgotten}},
    };
}

// `text` behind its checksum, which is taken from the error that a wrong one gives.
std::string sealed(const std::string& text) {
    const auto parsed = parse_journal_line("00000000 " + text);
    if (parsed || !parsed.error().starts_with("checksum")) return "00000000 " + text;
    return parsed.error().substr(parsed.error().size() - 8) + " " + text;
}

TEST(JournalLine, IsWrittenAsDocumented) {
    for (const Sample& sample : samples()) {
        EXPECT_EQ(format_journal_line(sample.entry), std::string(sample.line) + "\n");
    }
}

TEST(JournalLine, IsReadAsItWasWritten) {
    for (const Sample& sample : samples()) {
        const auto entry = parse_journal_line(sample.line);
        ASSERT_TRUE(entry) << entry.error();
        EXPECT_EQ(*entry, sample.entry);
    }
}

TEST(JournalLine, CarriesEveryKindAndOctet) {
    std::mt19937_64 random(1);
    const auto text = [&] {
        std::string octets(random() % 40, '\0');
        for (char& c : octets) c = static_cast<char>(random());
        return octets;
    };
    for (int i = 0; i < 5000; ++i) {
        JournalEntry entry{static_cast<Seconds>(random() % 0x100000000),
                           static_cast<Kind>(i % 7),
                           text(),
                           text(),
                           static_cast<std::uint32_t>(random()),
                           static_cast<std::uint32_t>(random())};
        if (entry.kind == Kind::kAll) entry.value.clear();
        std::string line = format_journal_line(entry);
        ASSERT_EQ(line.back(), '\n');
        line.pop_back();
        ASSERT_EQ(line.find('\n'), line.npos);
        const auto parsed = parse_journal_line(line);
        ASSERT_TRUE(parsed) << line << ": " << parsed.error();
        ASSERT_EQ(*parsed, entry);
    }
}

TEST(JournalLine, EveryFlippedBitIsDetected) {
    for (const Sample& sample : samples()) {
        const std::string line = sample.line;
        for (std::size_t bit = 0; bit < line.size() * 8; ++bit) {
            std::string damaged = line;
            damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
            ASSERT_FALSE(parse_journal_line(damaged)) << bit << ": " << damaged;
        }
    }
}

TEST(JournalLine, NoBeginningOfALineIsALine) {
    for (const Sample& sample : samples()) {
        const std::string line = sample.line;
        for (std::size_t size = 0; size < line.size(); ++size) {
            EXPECT_FALSE(parse_journal_line(std::string_view(line).substr(0, size))) << size;
        }
    }
}

TEST(JournalLine, TellsTheChecksumThatItFound) {
    const auto entry = parse_journal_line("1234abcd 2027-01-15T08:00:00Z all %2A - - -");
    ASSERT_FALSE(entry);
    EXPECT_TRUE(entry.error().starts_with("checksum is 1234abcd, the text has ")) << entry.error();
    const auto control = parse_journal_line("12\x1b[31m4 2027-01-15T08:00:00Z all %2A - - -");
    ASSERT_FALSE(control);
    EXPECT_EQ(control.error().find('\x1b'), std::string::npos);
}

TEST(JournalLine, HasOneSpelling) {
    const std::string good = "2027-01-15T08:00:00Z jti i v - -";
    ASSERT_TRUE(parse_journal_line(sealed(good)));
    const struct {
        const char* text;
        const char* problem;
    } cases[] = {
        {"2027-01-15T08:00:00Z jti i v - - ", "fields"},
        {"2027-01-15T08:00:00Z jti i v - - -", "fields"},
        {" 2027-01-15T08:00:00Z jti i v - -", "fields"},
        {"2027-01-15T08:00:00Z jti i v -", "fields"},
        {"2027-01-15T08:00:00Z  jti i v -", "kind"},
        {"", "fields"},
        {"2027-01-15T08:00:00 jti i v - -", "written"},
        {"- jti i v - -", "written"},
        {"2027-01-15T08:00:00Z JTI i v - -", "kind"},
        {"2027-01-15T08:00:00Z jtis i v - -", "kind"},
        {"2027-01-15T08:00:00Z jti i/ v - -", "issuer"},
        {"2027-01-15T08:00:00Z jti i%2f v - -", "issuer"},
        {"2027-01-15T08:00:00Z jti %69 v - -", "issuer"},
        {"2027-01-15T08:00:00Z jti i%2 v - -", "issuer"},
        {"2027-01-15T08:00:00Z jti i% v - -", "issuer"},
        {"2027-01-15T08:00:00Z jti i%GG v - -", "issuer"},
        {"2027-01-15T08:00:00Z jti i%2D v - -", "issuer"},
        {"2027-01-15T08:00:00Z jti  v - -", "issuer"},
        {"2027-01-15T08:00:00Z jti i  - -", "value"},
        {"2027-01-15T08:00:00Z jti i v\xff - -", "value"},
        {"2027-01-15T08:00:00Z all i v - -", "value"},
        {"2027-01-15T08:00:00Z jti i v 0 -", "issued-until"},
        {"2027-01-15T08:00:00Z jti i v 1969-12-31T23:59:59Z -", "issued-until"},
        {"2027-01-15T08:00:00Z jti i v - 2106-02-07T06:28:15Z", "expires"},
        {"2027-01-15T08:00:00Z jti i v - 2027-02-30T00:00:00Z", "expires"},
        {"2027-01-15T08:00:00Z jti i v - never", "expires"},
    };
    for (const auto& [text, problem] : cases) {
        const auto entry = parse_journal_line(sealed(text));
        ASSERT_FALSE(entry) << text;
        EXPECT_NE(entry.error().find(problem), std::string::npos) << text << ": " << entry.error();
    }
    std::string upper = sealed(good);
    for (char& c : upper)
        c = static_cast<char>(c >= 'a' && c <= 'f' && &c < &upper[8] ? c - 32 : c);
    EXPECT_NE(upper, sealed(good));
    EXPECT_FALSE(parse_journal_line(upper));
}

TEST(JournalLine, HasABoundedLength) {
    JournalEntry entry{kMorning, Kind::kJti, "i", "v", kEveryInstant, kNeverForgotten};
    const std::size_t rest = format_journal_line(entry).size() - 1;
    entry.value.assign(kMaxJournalLine - rest, 'v');
    std::string line = format_journal_line(entry);
    ASSERT_EQ(line.size(), kMaxJournalLine);
    line.pop_back();
    EXPECT_TRUE(parse_journal_line(line));
    entry.value += 'v';
    line = format_journal_line(entry);
    line.pop_back();
    const auto parsed = parse_journal_line(line);
    ASSERT_FALSE(parsed);
    EXPECT_NE(parsed.error().find("4096"), std::string::npos);
}

TEST(JournalLine, MayBeUnfinishedButNotEndOtherwise) {
    const std::string line = samples()[0].line;
    for (std::size_t size = 0; size <= line.size(); ++size) {
        EXPECT_EQ(unfinished_line_problem(std::string_view(line).substr(0, size)), "") << size;
    }
    EXPECT_NE(unfinished_line_problem(line + "\v"), "");
    EXPECT_EQ(unfinished_line_problem(std::string(kMaxJournalLine - 1, 'x')), "");
    EXPECT_NE(unfinished_line_problem(std::string(kMaxJournalLine, 'x')), "");
}

}  // namespace
}  // namespace gate::cache
