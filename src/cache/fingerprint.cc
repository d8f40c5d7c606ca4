// The text, padded with zeros, is taken in stripes of two blocks A and B of two 64-bit words each;
// a third, C, is their sum, word by word. Each block gives the product of its two words, each with
// its key word added: (x0 + k0)(x1 + k1). The keys of C are the sums of those of A and B, so that
// C's keyed words are the sums of theirs. Over all stripes this makes three sums, mod 2^128.
//
// Why two different texts rarely have the same fingerprint:
// 1. Let them have the same length. In some stripe they differ, and then in at least two of its
//    three blocks (if only A differs, so does the sum; if A and B do but the sum does not, it is
//    those two). Any two of the keys kA, kB, kA + kB are independent and uniform.
// 2. For a block that differs, in x0 say, and any c: the difference of its products is c for at
// most
//    one k1 in 2^64, whatever k0 is. For with u = x0 + k0 and u' (unequal), y = x1 + k1, and y + d
//    (mod 2^64) in the other text, two solutions y1 > y2 of u*y - u'*(y + d) = c (mod 2^128) would
//    give (u - u')(y1 - y2) = 0, or, where exactly one of y1 + d, y2 + d wraps,
//    u*(y1 - y2) + u'*(2^64 - (y1 - y2)) = 0; neither side can reach 2^128, so both would have to
//    be 0, and are not. (The NH theorem of UMAC, with 64-bit words.)
// 3. So, with all other keys fixed, both of these sums are the same in both texts with a
// probability
//    of at most 2^-64 * 2^-64.
// 4. Otherwise, or when the lengths differ, the closing hashes have different input. Each is
//    multilinear with 128-bit coefficients, upper 64 bits kept, which is strongly universal for
//    64-bit words (128 >= 64 + 64 - 1): 2^-64 each, 2^-128 for both.
// Together 2^-127. The first coefficient makes each fingerprint uniform, which the table relies on.
#include "cache/fingerprint.h"

#include "cache/fingerprint.h"

#include <bit>
#include <cstring>

namespace gate::cache {

namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::ptrdiff_t kStripe = 32;  // octets

// Little-endian, any alignment.
[[gnu::always_inline]] inline std::uint64_t text_word(const char* at) noexcept {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
    return word;
}

struct Sums {
    Wide a = 0;
    Wide b = 0;
    Wide c = 0;
};

// The empty asm statements keep the compiler from merging sums across stripes, which would cost it
// registers, and so a third more instructions.
[[gnu::always_inline]] inline void add_stripe(Sums& sums, std::uint64_t x0, std::uint64_t x1,
                                              std::uint64_t x2, std::uint64_t x3,
                                              const std::uint64_t* key) noexcept {
    const std::uint64_t a0 = x0 + key[0];
    const std::uint64_t a1 = x1 + key[1];
    sums.a += Wide{a0} * a1;
    asm("" : "+r"(sums.a));
    const std::uint64_t b0 = x2 + key[2];
    const std::uint64_t b1 = x3 + key[3];
    sums.b += Wide{b0} * b1;
    asm("" : "+r"(sums.b));
    sums.c += Wide{a0 + b0} * (a1 + b1);
    asm("" : "+r"(sums.c));
}

[[gnu::always_inline]] inline void add_text(Sums& sums, const char* text,
                                            const std::uint64_t* key) noexcept {
    add_stripe(sums, text_word(text), text_word(text + 8), text_word(text + 16),
               text_word(text + 24), key);
}

// All whole stripes. Two a turn, as the counting would cost a tenth of the work otherwise. Not
// inlined: with only this to care for, the compiler keeps the sums in registers.
[[gnu::noinline]] void add_stripes(Sums& out, const char* at, const char* end,
                                   const std::uint64_t* key) noexcept {
    Sums sums;
    for (; end - at >= 2 * kStripe; at += 2 * kStripe) {
        add_text(sums, at, key);
        add_text(sums, at + kStripe, key + 4);
        key += 8;
    }
    if (end - at >= kStripe) add_text(sums, at, key);
    out = sums;
}

// The last 1 to 31 octets, with zeros behind them.
void add_rest(Sums& sums, const char* at, std::size_t size, const std::uint64_t* key) noexcept {
    char padded[kStripe] = {};
    std::memcpy(padded, at, size);
    add_text(sums, padded, key);
}

// The upper half of a sum under 128-bit coefficients, mod 2^128.
std::uint64_t close(const Sums& sums, std::uint64_t length, const std::uint64_t* key) noexcept {
    const auto low = [](Wide sum) { return static_cast<std::uint64_t>(sum); };
    const auto high = [](Wide sum) { return static_cast<std::uint64_t>(sum >> 64); };
    const Wide total = Wide{key[0]} + Wide{key[2]} * length + Wide{key[4]} * low(sums.a) +
                       Wide{key[6]} * high(sums.a) + Wide{key[8]} * low(sums.b) +
                       Wide{key[10]} * high(sums.b) + Wide{key[12]} * low(sums.c) +
                       Wide{key[14]} * high(sums.c);
    return high(total) + key[1] + key[3] * length + key[5] * low(sums.a) + key[7] * high(sums.a) +
           key[9] * low(sums.b) + key[11] * high(sums.b) + key[13] * low(sums.c) +
           key[15] * high(sums.c);
}

}  // namespace

Fingerprint fingerprint(const FingerprintKey& key, std::string_view text) noexcept {
    Sums sums;
    const char* const end = text.data() + text.size();
    add_stripes(sums, text.data(), end, key.nh.data());
    const std::size_t left = text.size() % kStripe;
    if (left > 0) add_rest(sums, end - left, left, key.nh.data() + (text.size() - left) / 8);
    const std::uint64_t* closing = key.closing.data();
    return {close(sums, text.size(), closing), close(sums, text.size(), closing + 16)};
}

}  // namespace gate::cache
