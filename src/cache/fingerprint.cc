// The text is taken in stripes of two blocks A and B of two 64-bit words each (little-endian); a
// third, C, is their sum, word by word. Each block gives the product of its two words, each with
// its key word added: (x0 + k0) * (x1 + k1). The keys of C are the sums of those of A and B, so
// that C's keyed words are the sums of theirs. The products of the A of all stripes are added up,
// and so are those of B and of C: three sums of 128 bits. What is left behind the last whole stripe
// is in one more that ends where the text does, and so overlaps the one before; a text of less than
// a stripe is filled up with zeros.
//
// Addition and multiplication are those of integers (words mod 2^64, sums mod 2^128), or, on
// processors that can, those of polynomials over GF(2), which takes a third fewer instructions.
//
// Why two different texts rarely have the same fingerprint:
// 1. Let them have the same length. In some stripe they differ, and then in at least two of its
//    three blocks (if only A differs, so does the sum; if A and B do but the sum does not, it is
//    those two). Any two of the keys kA, kB, kA + kB are independent and uniform.
// 2. For a block that differs, in x0 say, and any c: the difference of its products in both texts
// is
//    c for at most one k1 in 2^64, whatever k0 is. With polynomials it is (x0 + x0') * k1 and terms
//    without k1, and the factor is not 0. With integers, let u = x0 + k0 and u' be the unequal left
//    factors, y = x1 + k1 and y + d (mod 2^64) the right ones. Two solutions y1 > y2 of
//    u * y - u' * (y + d) = c (mod 2^128) would give (u - u')(y1 - y2) = 0, or, where exactly one
//    of y1 + d, y2 + d wraps, u * (y1 - y2) + u' * (2^64 - (y1 - y2)) = 0; no left side can reach
//    2^128, so it would have to be 0, and is not. (The NH theorem of UMAC, with 64-bit words.)
// 3. So, with all other keys fixed, both of these sums are the same in both texts with a
// probability
//    of at most 2^-64 * 2^-64.
// 4. Otherwise, or when the lengths differ, the closing hashes have different input. Each is
//    multilinear with 128-bit coefficients, upper 64 bits kept, which is strongly universal for
//    64-bit words (128 >= 64 + 64 - 1): 2^-64 each, 2^-128 for both.
// Together 2^-127. The first coefficient makes each fingerprint uniform, which the table relies on.
#include "cache/fingerprint.h"

#include <algorithm>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <wmmintrin.h>
#endif

namespace gate::cache {

namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::size_t kStripe = 32;  // octets

// Low and high half of the sums of A, B and C.
struct Sums {
    std::uint64_t words[6];
};

// Adds the sums of `count` stripes from `text` on, and of one more at `last` where that is not
// nullptr.
using AddStripes = void(Sums& out, const char* text, std::size_t count, const char* last,
                        const std::uint64_t* key);

std::uint64_t text_word(const char* at) noexcept {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
    return word;
}

// The empty asm statements keep the compiler from merging sums across stripes, which would cost it
// registers, and so a third more instructions.
[[gnu::always_inline]] inline void add_stripe(Wide& a, Wide& b, Wide& c, const char* text,
                                              const std::uint64_t* key) noexcept {
    const std::uint64_t a0 = text_word(text) + key[0];
    const std::uint64_t a1 = text_word(text + 8) + key[1];
    a += Wide{a0} * a1;
    asm("" : "+r"(a));
    const std::uint64_t b0 = text_word(text + 16) + key[2];
    const std::uint64_t b1 = text_word(text + 24) + key[3];
    b += Wide{b0} * b1;
    asm("" : "+r"(b));
    c += Wide{a0 + b0} * (a1 + b1);
    asm("" : "+r"(c));
}

// Two stripes a turn: the counting would cost a tenth of the work otherwise.
void add_integers(Sums& out, const char* text, std::size_t count, const char* last,
                  const std::uint64_t* key) noexcept {
    Wide a = 0, b = 0, c = 0;
    for (; count >= 2; count -= 2) {
        add_stripe(a, b, c, text, key);
        add_stripe(a, b, c, text + kStripe, key + 4);
        text += 2 * kStripe;
        key += 8;
    }
    if (count != 0) {
        add_stripe(a, b, c, text, key);
        key += 4;
    }
    if (last != nullptr) add_stripe(a, b, c, last, key);
    const auto low = [](Wide sum) { return static_cast<std::uint64_t>(sum); };
    const auto high = [](Wide sum) { return static_cast<std::uint64_t>(sum >> 64); };
    out = {{low(a), high(a), low(b), high(b), low(c), high(c)}};
}

#if defined(__x86_64__)

[[gnu::always_inline, gnu::target("pclmul")]] inline void add_stripe(
    __m128i& a, __m128i& b, __m128i& c, const char* text, const std::uint64_t* key) noexcept {
    const auto* blocks = reinterpret_cast<const __m128i*>(text);
    const auto* keys = reinterpret_cast<const __m128i*>(key);
    const __m128i x = _mm_xor_si128(_mm_loadu_si128(blocks), _mm_load_si128(keys));
    const __m128i y = _mm_xor_si128(_mm_loadu_si128(blocks + 1), _mm_load_si128(keys + 1));
    const __m128i z = _mm_xor_si128(x, y);
    a = _mm_xor_si128(a, _mm_clmulepi64_si128(x, x, 1));
    asm("" : "+x"(a));
    b = _mm_xor_si128(b, _mm_clmulepi64_si128(y, y, 1));
    asm("" : "+x"(b));
    c = _mm_xor_si128(c, _mm_clmulepi64_si128(z, z, 1));
    asm("" : "+x"(c));
}

[[gnu::target("pclmul")]] void add_polynomials(Sums& out, const char* text, std::size_t count,
                                               const char* last,
                                               const std::uint64_t* key) noexcept {
    __m128i a = _mm_setzero_si128(), b = a, c = a;
    for (; count >= 2; count -= 2) {
        add_stripe(a, b, c, text, key);
        add_stripe(a, b, c, text + kStripe, key + 4);
        text += 2 * kStripe;
        key += 8;
    }
    if (count != 0) {
        add_stripe(a, b, c, text, key);
        key += 4;
    }
    if (last != nullptr) add_stripe(a, b, c, last, key);
    auto* words = reinterpret_cast<__m128i*>(out.words);
    _mm_storeu_si128(words, a);
    _mm_storeu_si128(words + 1, b);
    _mm_storeu_si128(words + 2, c);
}

#endif

// The upper half of a sum under 128-bit coefficients, mod 2^128.
std::uint64_t close(const Sums& sums, std::uint64_t length, const std::uint64_t* key) noexcept {
    Wide total = Wide{key[0]} + Wide{key[2]} * length;
    std::uint64_t high = key[1] + key[3] * length;
#pragma GCC unroll 6
    for (const std::uint64_t word : sums.words) {
        key += 2;
        total += Wide{key[2]} * word;
        high += key[3] * word;
    }
    return static_cast<std::uint64_t>(total >> 64) + high;
}

[[gnu::always_inline]] inline Fingerprint run(const FingerprintKey& key, std::string_view text,
                                              AddStripes add) noexcept {
    Sums sums;
    if (text.size() >= kStripe) {
        const bool whole = text.size() % kStripe == 0;
        add(sums, text.data(), text.size() / kStripe,
            whole ? nullptr : text.data() + text.size() - kStripe, key.nh.data());
    } else {
        char padded[kStripe] = {};
        std::copy(text.begin(), text.end(), padded);  // an empty view may point nowhere
        add(sums, padded, 1, nullptr, key.nh.data());
    }
    const std::uint64_t* closing = key.closing.data();
    return {close(sums, text.size(), closing), close(sums, text.size(), closing + 16)};
}

}  // namespace

Fingerprint portable_fingerprint(const FingerprintKey& key, std::string_view text) noexcept {
    return run(key, text, add_integers);
}

bool has_carryless_product() noexcept {
#if defined(__x86_64__)
    return __builtin_cpu_supports("pclmul") != 0;
#else
    return false;
#endif
}

Fingerprint fingerprint(const FingerprintKey& key, std::string_view text) noexcept {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("pclmul")) return run(key, text, add_polynomials);
#endif
    return portable_fingerprint(key, text);
}

}  // namespace gate::cache
