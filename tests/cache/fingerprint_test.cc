#include "cache/fingerprint.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace gate::cache {
namespace {

__extension__ using Wide = unsigned __int128;

std::unique_ptr<FingerprintKey> random_key(unsigned seed) {
    auto key = std::make_unique<FingerprintKey>();
    std::mt19937_64 random(seed);
    for (std::uint64_t& word : key->nh) word = random();
    for (std::uint64_t& word : key->closing) word = random();
    return key;
}

std::string random_text(std::size_t size, unsigned seed) {
    std::mt19937 random(seed);
    std::string text(size, '\0');
    for (char& c : text) c = static_cast<char>(random());
    return text;
}

// The arithmetic of integers and that of polynomials over GF(2), bit by bit.
struct Integers {
    static std::uint64_t add(std::uint64_t a, std::uint64_t b) { return a + b; }
    static Wide add_sums(Wide a, Wide b) { return a + b; }
    static Wide multiply(std::uint64_t a, std::uint64_t b) { return Wide{a} * Wide{b}; }
};
struct Polynomials {
    static std::uint64_t add(std::uint64_t a, std::uint64_t b) { return a ^ b; }
    static Wide add_sums(Wide a, Wide b) { return a ^ b; }
    static Wide multiply(std::uint64_t a, std::uint64_t b) {
        Wide product = 0;
        for (unsigned bit = 0; bit < 64; ++bit) {
            if ((b >> bit & 1) != 0) product ^= Wide{a} << bit;
        }
        return product;
    }
};

// The stripes of a text, as words; the last one ends where the text ends.
std::vector<std::uint64_t> stripes_of(std::string text) {
    if (text.size() < 32) text.resize((text.size() + 31) / 32 * 32);
    std::string all = text.substr(0, text.size() / 32 * 32);
    if (all.size() < text.size()) all += text.substr(text.size() - 32);
    if (all.empty()) all.assign(32, '\0');
    std::vector<std::uint64_t> words(all.size() / 8);
    for (std::size_t i = 0; i < all.size(); ++i) {
        words[i / 8] += std::uint64_t{static_cast<unsigned char>(all[i])} << (i % 8 * 8);
    }
    return words;
}

// The definition, octet by octet and word by word, without any of the shortcuts.
template <class Ring>
Fingerprint definition(const FingerprintKey& key, std::string_view text) {
    const std::vector<std::uint64_t> words = stripes_of(std::string(text));
    Wide sums[3] = {};
    for (std::size_t i = 0; i < words.size(); i += 4) {
        const auto product = [](std::uint64_t x0, std::uint64_t k0, std::uint64_t x1,
                                std::uint64_t k1) {
            return Ring::multiply(Ring::add(x0, k0), Ring::add(x1, k1));
        };
        const std::uint64_t* x = &words[i];
        const std::uint64_t* k = &key.nh[i];
        sums[0] = Ring::add_sums(sums[0], product(x[0], k[0], x[1], k[1]));
        sums[1] = Ring::add_sums(sums[1], product(x[2], k[2], x[3], k[3]));
        sums[2] = Ring::add_sums(sums[2], product(Ring::add(x[0], x[2]), Ring::add(k[0], k[2]),
                                                  Ring::add(x[1], x[3]), Ring::add(k[1], k[3])));
    }
    std::uint64_t halves[2];
    for (std::size_t half = 0; half < 2; ++half) {
        const auto factor = [&key, half](std::size_t i) {
            return Wide{key.closing[half * 16 + 2 * i]} | Wide{key.closing[half * 16 + 2 * i + 1]}
                                                              << 64;
        };
        Wide total = factor(0) + factor(1) * Wide{text.size()};
        for (std::size_t i = 0; i < 3; ++i) {
            total += factor(2 + 2 * i) * Wide{static_cast<std::uint64_t>(sums[i])};
            total += factor(3 + 2 * i) * (sums[i] >> 64);
        }
        halves[half] = static_cast<std::uint64_t>(total >> 64);
    }
    return {halves[0], halves[1]};
}

// On this processor, and on one without a carry-less product.
class FingerprintOf : public testing::TestWithParam<bool> {
protected:
    static Fingerprint compute(const FingerprintKey& key, std::string_view text) {
        return GetParam() ? portable_fingerprint(key, text) : fingerprint(key, text);
    }
    static Fingerprint reference(const FingerprintKey& key, std::string_view text) {
        return GetParam() || !has_carryless_product() ? definition<Integers>(key, text)
                                                      : definition<Polynomials>(key, text);
    }
};
INSTANTIATE_TEST_SUITE_P(Fingerprint, FingerprintOf, testing::Values(false, true),
                         [](const testing::TestParamInfo<bool>& info) {
                             return info.param ? "Portable" : "ThisProcessor";
                         });

std::string hex(const Fingerprint& value) {
    char text[40];
    std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(value.high),
                  static_cast<unsigned long long>(value.low));
    return text;
}

TEST(FingerprintOfNothing, TakesAViewThatPointsNowhere) {
    const auto key = std::make_unique<FingerprintKey>();
    EXPECT_EQ(fingerprint(*key, std::string_view()), fingerprint(*key, std::string_view("")));
}

TEST_P(FingerprintOf, IsItsDefinitionForEveryLengthUpTo300) {
    const auto key = random_key(1);
    for (std::size_t size = 0; size <= 300; ++size) {
        const std::string text = random_text(size, static_cast<unsigned>(size));
        EXPECT_EQ(compute(*key, text), reference(*key, text)) << size;
    }
}

TEST_P(FingerprintOf, IsItsDefinitionAroundTheLongestText) {
    const auto key = random_key(2);
    for (std::size_t size = kMaxFingerprintText - 70; size <= kMaxFingerprintText; ++size) {
        const std::string text = random_text(size, static_cast<unsigned>(size));
        EXPECT_EQ(compute(*key, text), reference(*key, text)) << size;
    }
}

TEST_P(FingerprintOf, IsItsDefinitionWhereEverySumCarries) {
    auto key = std::make_unique<FingerprintKey>();
    key->nh.fill(~std::uint64_t{0});
    key->closing.fill(~std::uint64_t{0});
    for (const char octet : {'\0', '\x01', '\xff'}) {
        for (std::size_t size : {1u, 31u, 32u, 33u, 63u, 64u, 65u, 96u, 860u, 16384u}) {
            const std::string text(size, octet);
            EXPECT_EQ(compute(*key, text), reference(*key, text)) << size;
        }
    }
}

TEST_P(FingerprintOf, DoesNotDependOnAlignmentOrOnWhatStandsAround) {
    const auto key = random_key(3);
    const std::string text = random_text(860, 3);
    const Fingerprint expected = compute(*key, text);
    for (std::size_t shift = 0; shift < 17; ++shift) {
        const std::string around = random_text(shift, 4) + text + random_text(40, 5);
        EXPECT_EQ(compute(*key, std::string_view(around).substr(shift, text.size())), expected);
    }
}

TEST_P(FingerprintOf, ReadsNothingBehindTheText) {
    const auto key = random_key(4);
    for (std::size_t size = 0; size <= 130; ++size) {
        // An allocation of exactly this size, for the address sanitizer to watch.
        const auto text = std::make_unique<char[]>(size);
        EXPECT_EQ(compute(*key, {text.get(), size}), reference(*key, std::string(size, '\0')));
    }
}

TEST_P(FingerprintOf, ChangesWithEveryBitOfATokenAndWithEveryCutAndExtension) {
    const auto key = random_key(5);
    std::string text = random_text(860, 6);
    std::set<std::string> seen{hex(compute(*key, text))};
    std::size_t count = 1;
    for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
        const char mask = static_cast<char>(1 << bit % 8);
        text[bit / 8] = static_cast<char>(text[bit / 8] ^ mask);
        seen.insert(hex(compute(*key, text)));
        text[bit / 8] = static_cast<char>(text[bit / 8] ^ mask);
        ++count;
    }
    for (std::size_t size = 0; size < text.size(); ++size, ++count) {
        seen.insert(hex(compute(*key, std::string_view(text).substr(0, size))));
    }
    std::string longer = text;
    for (std::size_t i = 0; i < 860; ++i, ++count) {
        longer += static_cast<char>(i);
        seen.insert(hex(compute(*key, longer)));
    }
    EXPECT_EQ(seen.size(), count);
}

TEST_P(FingerprintOf, TellsZerosAtTheEndFromTheirAbsence) {
    const auto key = random_key(6);
    std::set<std::string> seen;
    for (std::size_t size = 0; size <= 200; ++size) {
        seen.insert(hex(compute(*key, std::string(size, '\0'))));
    }
    EXPECT_EQ(seen.size(), 201u);
}

// Swapped words and blocks, and changes that leave the parity as it is.
TEST_P(FingerprintOf, ChangesWhenWordsMove) {
    const auto key = random_key(7);
    const std::string text = random_text(128, 7);
    std::set<std::string> seen{hex(compute(*key, text))};
    std::size_t count = 1;
    for (std::size_t a = 0; a < 16; ++a) {
        for (std::size_t b = a + 1; b < 16; ++b, ++count) {
            std::string swapped = text;
            swapped.replace(a * 8, 8, text.substr(b * 8, 8));
            swapped.replace(b * 8, 8, text.substr(a * 8, 8));
            seen.insert(hex(compute(*key, swapped)));
        }
    }
    EXPECT_EQ(seen.size(), count);
}

TEST_P(FingerprintOf, DependsOnEveryWordOfTheKeyThatTheTextReaches) {
    const auto key = random_key(8);
    const std::string text = random_text(860, 8);
    const Fingerprint before = compute(*key, text);
    for (std::size_t i = 0; i < (text.size() + 31) / 32 * 4; ++i) {
        key->nh[i] ^= 1;
        EXPECT_NE(compute(*key, text), before) << "key word " << i;
        key->nh[i] ^= 1;
    }
    for (std::size_t i = 0; i < key->closing.size(); ++i) {
        if (i % 16 == 0) continue;  // of this one only a carry is left
        key->closing[i] ^= std::uint64_t{1} << 56;
        const Fingerprint after = compute(*key, text);
        EXPECT_EQ(after.high == before.high, i >= 16) << "closing word " << i;
        EXPECT_EQ(after.low == before.low, i < 16) << "closing word " << i;
        key->closing[i] ^= std::uint64_t{1} << 56;
    }
}

// Each bit of the fingerprint of one text is set under about half of the keys: the table takes its
// places from both halves, upper and lower bits.
TEST_P(FingerprintOf, IsSpreadEvenlyOverKeys) {
    std::vector<int> ones(128);
    for (unsigned seed = 0; seed < 400; ++seed) {
        const Fingerprint value = compute(*random_key(seed), "a token");
        for (unsigned bit = 0; bit < 64; ++bit) {
            ones[bit] += static_cast<int>(value.high >> bit & 1);
            ones[64 + bit] += static_cast<int>(value.low >> bit & 1);
        }
    }
    for (std::size_t bit = 0; bit < ones.size(); ++bit) {
        EXPECT_GT(ones[bit], 140) << bit;  // six standard deviations
        EXPECT_LT(ones[bit], 260) << bit;
    }
}

}  // namespace
}  // namespace gate::cache
