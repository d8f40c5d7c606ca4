// What a process remembers of the zone's verdicts: only ever what was noted for the same octets.
#include "policy/recent_verdicts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

namespace gate::policy {
namespace {

constexpr std::uint32_t kSecond = 1700000000;

VerdictWords words_of(std::uint64_t number) {
    VerdictWords words{};
    words.fill(number);
    return words;
}

void note_twice(RecentVerdicts& recent, const std::string& text, std::uint64_t number,
                std::uint32_t second = kSecond) {
    for (int i = 0; i < 2; ++i) recent.note(text, {number, ~number}, words_of(number), second);
}

TEST(RecentVerdicts, KeepsATextThatComesASecondTime) {
    RecentVerdicts recent;
    const std::string text = "header.payload.signature";
    recent.note(text, {1, 2}, words_of(3), kSecond);
    EXPECT_EQ(recent.find(text), nullptr) << "one of many that come once";
    recent.note(text, {1, 2}, words_of(3), kSecond + 1);
    const auto* const entry = recent.find(text);
    ASSERT_NE(entry, nullptr);
    EXPECT_EQ(entry->fingerprint, (cache::Fingerprint{1, 2}));
    EXPECT_EQ(entry->words, words_of(3));
    EXPECT_EQ(entry->read_at, kSecond + 1);
}

TEST(RecentVerdicts, TakesTheNewestWords) {
    RecentVerdicts recent;
    note_twice(recent, "header.payload.signature", 1);
    recent.note("header.payload.signature", {9, 9}, words_of(2), kSecond + 5);
    const auto* const entry = recent.find("header.payload.signature");
    ASSERT_NE(entry, nullptr);
    EXPECT_EQ(entry->words, words_of(2));
    EXPECT_EQ(entry->fingerprint, (cache::Fingerprint{9, 9}));
    EXPECT_EQ(entry->read_at, kSecond + 5);
}

TEST(RecentVerdicts, FindsExactlyTheSameOctets) {
    RecentVerdicts recent;
    const std::string text = std::string(400, 'h') + "." + std::string(400, 'p') + ".signature";
    note_twice(recent, text, 1);
    ASSERT_NE(recent.find(text), nullptr);
    for (std::size_t at = 0; at < text.size(); ++at) {
        std::string other = text;
        other[at] = static_cast<char>(other[at] ^ 1);
        EXPECT_EQ(recent.find(other), nullptr) << at;
    }
    EXPECT_EQ(recent.find(text + "e"), nullptr);
    EXPECT_EQ(recent.find(text.substr(1)), nullptr);
    EXPECT_EQ(recent.find(text.substr(0, text.size() - 1)), nullptr);
}

TEST(RecentVerdicts, NeverGivesOneTextTheWordsOfAnother) {
    RecentVerdicts recent;
    std::mt19937_64 random(3);
    const auto text_of = [](std::uint64_t number) {
        return "text " + std::to_string(number * 0x9e3779b97f4a7c15);
    };
    int found = 0;
    for (int step = 0; step < 200000; ++step) {
        const std::uint64_t number = random() % 3000;
        const std::string text = text_of(number);
        if (const auto* const entry = recent.find(text)) {
            ASSERT_EQ(entry->words, words_of(number));
            ASSERT_EQ(entry->fingerprint, (cache::Fingerprint{number, ~number}));
            ++found;
        }
        recent.note(text, {number, ~number}, words_of(number), kSecond);
    }
    EXPECT_GT(found, 10000);
}

TEST(RecentVerdicts, LeavesOutWhatIsTooShortOrTooLong) {
    RecentVerdicts recent;
    for (const std::size_t size : {std::size_t{0}, std::size_t{7}, RecentVerdicts::kMaxText + 1}) {
        const std::string text(size, 'x');
        note_twice(recent, text, 1);
        EXPECT_EQ(recent.find(text), nullptr) << size;
    }
    for (const std::size_t size : {std::size_t{8}, RecentVerdicts::kMaxText}) {
        const std::string text(size, 'x');
        note_twice(recent, text, 1);
        EXPECT_NE(recent.find(text), nullptr) << size;
    }
}

TEST(RecentVerdicts, WipesWhatHasNotComeForAMinute) {
    RecentVerdicts recent;
    const std::string text = "header.payload.signature that is long enough for the heap";
    note_twice(recent, text, 1);
    recent.sweep(kSecond + RecentVerdicts::kIdle);
    ASSERT_NE(recent.find(text), nullptr);
    const char* const kept = recent.find(text)->text.data();
    recent.sweep(kSecond + RecentVerdicts::kIdle + 1);
    EXPECT_EQ(recent.find(text), nullptr);
    EXPECT_TRUE(std::all_of(kept, kept + text.size(), [](char c) { return c == '\0'; }));
    recent.note(text, {1, 2}, words_of(3), kSecond);
    EXPECT_EQ(recent.find(text), nullptr) << "begins anew";
}

TEST(RecentVerdicts, KeepsTheIdentityForAsLongAsTheVerdictSaysTheSame) {
    RecentVerdicts recent;
    const std::string text = "header.payload.signature";
    note_twice(recent, text, 1);
    auto identity = recent.find(text)->identity;
    ASSERT_NE(identity, nullptr);
    VerdictWords words = words_of(1);
    words[kCleanAtWord] = 2;
    recent.note(text, {1, 2}, words, kSecond);
    EXPECT_EQ(recent.find(text)->identity, identity) << "no more than another look";
    words[kCleanAtWord + 1] = 2;
    recent.note(text, {1, 2}, words, kSecond);
    EXPECT_NE(recent.find(text)->identity, identity);
    identity = recent.find(text)->identity;
    identity->principal = std::make_shared<const Principal>();
    const std::weak_ptr<const Principal> principal = identity->principal;
    identity = nullptr;
    EXPECT_FALSE(principal.expired());
    recent.sweep(kSecond + RecentVerdicts::kIdle + 1);
    EXPECT_TRUE(principal.expired()) << "wiped with the text";
}

// Wiped texts are no texts: one of zeros, where one of its size has been wiped everywhere.
TEST(RecentVerdicts, TakesNoTextForAWipedOne) {
    RecentVerdicts recent;
    for (unsigned i = 0; i < 20000; ++i) {
        note_twice(recent, "header.payload." + std::to_string(100000 + i), 1);
    }
    const std::string zeros(std::string("header.payload.100000").size(), '\0');
    recent.sweep(kSecond + RecentVerdicts::kIdle + 1);
    recent.note(zeros, {1, 2}, words_of(3), kSecond);
    EXPECT_EQ(recent.find(zeros), nullptr);
}

TEST(RecentVerdicts, WipesALongerTextBeforeAShorterOne) {
    RecentVerdicts recent;
    // Both end alike and differ in length by what the mark mixes in: the same place is found by
    // trying.
    const std::string text(200, 'a');
    note_twice(recent, text, 1);
    const char* const kept = recent.find(text)->text.data();
    for (int i = 0; i < 100000 && recent.find(text) != nullptr; ++i) {
        note_twice(recent, "short text " + std::to_string(i), 2);
    }
    ASSERT_EQ(recent.find(text), nullptr) << "another text took its place";
    EXPECT_TRUE(std::all_of(kept + 40, kept + text.size(), [](char c) { return c == '\0'; }));
}

}  // namespace
}  // namespace gate::policy
