#include "policy/verdict.h"

#include <gtest/gtest.h>

#include <random>

#include "cache/zone.h"

namespace gate::policy {
namespace {

constexpr std::uint32_t kMax32 = 0xffffffff;
constexpr std::uint64_t kMax64 = ~std::uint64_t{0};

Verdict random_verdict(std::mt19937_64& random) {
    const auto word = [&] { return static_cast<std::uint32_t>(random()); };
    const auto half = [&] { return static_cast<std::uint16_t>(random()); };
    Verdict verdict;
    verdict.epoch = random();
    verdict.valid_from = word();
    verdict.valid_until = word();
    verdict.expires = word();
    verdict.issued = word();
    verdict.has_expires = random() % 2 == 0;
    verdict.needs_payload = random() % 2 == 0;
    verdict.clean_at = random();
    for (std::uint64_t& digest : verdict.revocations) digest = random();
    for (Stretch* stretch :
         {&verdict.subject, &verdict.client, &verdict.scopes, &verdict.roles, &verdict.groups}) {
        *stretch = {half(), half()};
    }
    return verdict;
}

TEST(Verdict, ComesBackFromItsWordsAsItWas) {
    std::mt19937_64 random(3);
    for (int i = 0; i < 10000; ++i) {
        const Verdict verdict = random_verdict(random);
        ASSERT_EQ(unpack(pack(verdict)), verdict) << i;
    }
}

TEST(Verdict, KeepsEachMemberApartAtItsLargest) {
    const auto comes_back = [](auto set) {
        Verdict verdict;
        set(verdict);
        EXPECT_NE(verdict, Verdict{});
        EXPECT_EQ(unpack(pack(verdict)), verdict);
    };
    comes_back([](Verdict& v) { v.epoch = kMax64; });
    comes_back([](Verdict& v) { v.valid_from = kMax32; });
    comes_back([](Verdict& v) { v.valid_until = kMax32; });
    comes_back([](Verdict& v) { v.expires = kMax32; });
    comes_back([](Verdict& v) { v.issued = kMax32; });
    comes_back([](Verdict& v) { v.has_expires = true; });
    comes_back([](Verdict& v) { v.needs_payload = true; });
    comes_back([](Verdict& v) { v.clean_at = kMax64; });
    for (std::size_t i = 0; i < 4; ++i) {
        comes_back([i](Verdict& v) { v.revocations[i] = kMax64; });
    }
    for (const auto member : {&Verdict::subject, &Verdict::client, &Verdict::scopes,
                              &Verdict::roles, &Verdict::groups}) {
        comes_back([member](Verdict& v) { (v.*member).offset = 0xffff; });
        comes_back([member](Verdict& v) { (v.*member).size = 0xffff; });
    }
}

TEST(Verdict, HasItsChangeCountWhereItIsUpdatedAlone) {
    Verdict verdict;
    verdict.clean_at = 0x0123456789abcdef;
    const VerdictWords words = pack(verdict);
    for (std::size_t i = 0; i < words.size(); ++i) {
        EXPECT_EQ(words[i], i == kCleanAtWord ? verdict.clean_at : 0) << i;
    }
}

TEST(Verdict, OfZerosIsOfNoIssuer) {
    EXPECT_EQ(unpack(VerdictWords{}), Verdict{});
    EXPECT_EQ(Verdict{}.epoch, 0U);
}

TEST(Verdict, FillsASlotOf128Octets) {
    EXPECT_EQ(sizeof(VerdictWords) + cache::Table::kHeadSize, cache::kVerdictSlot);
    EXPECT_EQ(cache::kVerdictSlot, 128U);
}

}  // namespace
}  // namespace gate::policy
