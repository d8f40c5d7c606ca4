#include "http/path.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/ascii.h"

namespace gate::http {

namespace {

// One octet after all decoding. `rounds` counts the rounds of percent-decoding it took; nginx does
// one. `hidden` is set for what nginx does not see in it.
struct Symbol {
    std::uint8_t octet;
    std::uint8_t rounds;
    bool hidden;
};

constexpr std::uint8_t kManyRounds = 2;

// Replaces "%hh" at the end of `out` by the octet it stands for, again and again: in "%25252e" each
// result completes the next escape. Every replacement shortens `out`, so the whole is linear.
void collapse_escapes(std::vector<Symbol>& out) {
    while (out.size() >= 3) {
        const Symbol* last = out.data() + out.size() - 3;
        const int high = hex_value(static_cast<char>(last[1].octet));
        const int low = hex_value(static_cast<char>(last[2].octet));
        if (last[0].octet != '%' || high < 0 || low < 0) return;
        std::uint8_t rounds = 0;
        for (int i = 0; i < 3; ++i) {
            if (last[i].rounds > rounds) rounds = last[i].rounds;
        }
        if (rounds < kManyRounds) ++rounds;
        out.resize(out.size() - 2);
        out.back() = {static_cast<std::uint8_t>(high * 16 + low), rounds, rounds >= kManyRounds};
    }
}

// `text` after as many rounds of percent-decoding as it takes.
std::vector<Symbol> decode_fully(std::string_view text) {
    std::vector<Symbol> out;
    out.reserve(text.size());
    for (char c : text) {
        out.push_back({static_cast<std::uint8_t>(c), 0, false});
        collapse_escapes(out);
    }
    return out;
}

bool is_continuation(const Symbol& symbol) noexcept {
    return (symbol.octet & 0xc0) == 0x80;
}

// Length of an overlong UTF-8 form of an ASCII character at `at` (2 to 4 octets), or 0.
std::size_t overlong_length(const std::vector<Symbol>& in, std::size_t at) noexcept {
    std::size_t length = 0;
    if ((in[at].octet & 0xfe) == 0xc0) length = 2;
    if (in[at].octet == 0xe0) length = 3;
    if (in[at].octet == 0xf0) length = 4;
    if (length == 0 || in.size() - at < length) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if (!is_continuation(in[at + i])) return 0;
    }
    // Bits above the seven of ASCII must be zero: those of the octets between lead and last but
    // one, and all but the lowest of the last but one (the lead's own were tested above).
    for (std::size_t i = 1; i + 2 < length; ++i) {
        if (in[at + i].octet != 0x80) return 0;
    }
    return length == 2 || (in[at + length - 2].octet & 0x3e) == 0 ? length : 0;
}

// Replaces overlong forms by the characters that lenient decoders see in them.
std::vector<Symbol> decode_overlong(const std::vector<Symbol>& in) {
    std::vector<Symbol> out;
    out.reserve(in.size());
    for (std::size_t at = 0; at < in.size(); ++at) {
        const std::size_t length = overlong_length(in, at);
        if (length == 0) {
            out.push_back(in[at]);
            continue;
        }
        const unsigned octet =
            (in[at + length - 2].octet & 0x01u) << 6 | (in[at + length - 1].octet & 0x3fu);
        out.push_back({static_cast<std::uint8_t>(octet), kManyRounds, true});
        at += length - 1;
    }
    return out;
}

bool is_separator(const Symbol& symbol) noexcept {
    return symbol.octet == '/' || symbol.octet == '\\';
}

// nginx on Unix does not take a backslash for a separator.
bool is_hidden_separator(const Symbol& symbol) noexcept {
    return symbol.octet == '\\' || symbol.hidden;
}

// Whether [begin, end), a segment between separators, is "..", or a "." that nginx did not see.
// `delimiter_hidden`: one of the separators around it is hidden.
bool is_climbing(const Symbol* begin, const Symbol* end, bool delimiter_hidden) noexcept {
    bool hidden = delimiter_hidden;
    const Symbol* at = begin;
    for (; at != end && at->octet == '.'; ++at) hidden = hidden || at->hidden;
    if (at == begin || at - begin > 2) return false;
    if (at == end) return hidden || at - begin == 2;
    return at->octet == ';';  // "..;x": a path parameter that some applications cut off
}

// What else than a second dot makes a segment with a dot climb, or hides either.
constexpr bool hides(std::uint8_t octet) noexcept {
    return octet == '%' || octet == ';' || octet == '\\' || octet >= 0xc0;
}

template <class Word>
std::uint64_t load(const char* octets) noexcept {
    Word word;
    std::memcpy(&word, octets, sizeof word);
    return word;
}

// All octets of a text that is shorter than a word, some of them twice, and zeros.
std::uint64_t short_word(std::string_view text) noexcept {
    if (text.size() >= 4) {
        return load<std::uint32_t>(text.data()) << 32 |
               load<std::uint32_t>(text.data() + text.size() - 4);
    }
    std::uint64_t all = 0;
    for (const char c : text) all = all << 8 | static_cast<std::uint8_t>(c);
    return all;
}

// Whether a dot may begin at any of these octets: plain, percent-encoded or in overlong UTF-8.
bool begins_dot(std::uint64_t word) noexcept {
    const std::uint64_t high = word & word << 1 & 0x8080808080808080;  // both upper bits
    return (octet_in(word, '.') | octet_in(word, '%') | high) != 0;
}

bool may_have_dot(std::string_view text) noexcept {
    constexpr std::size_t kWord = sizeof(std::uint64_t);
    if (text.size() < kWord) return begins_dot(short_word(text));
    for (std::size_t at = 0; at + kWord < text.size(); at += kWord) {
        if (begins_dot(load<std::uint64_t>(text.data() + at))) return true;
    }
    return begins_dot(load<std::uint64_t>(text.data() + text.size() - kWord));
}

// With a dot somewhere.
[[gnu::noinline]] bool no_dot_climbs(std::string_view text) noexcept {
    char before = '\0';
    for (const char c : text) {
        if (hides(static_cast<std::uint8_t>(c)) || (c == '.' && before == '.')) return false;
        before = c;
    }
    return true;
}

}  // namespace

[[gnu::hot]] bool is_level(std::string_view text) noexcept {
    return !may_have_dot(text) || no_dot_climbs(text);
}

bool has_climbing_segment(std::string_view raw_path) {
    if (is_level(raw_path)) return false;

    const std::vector<Symbol> path = decode_overlong(decode_fully(raw_path));
    const Symbol* begin = path.data();
    const Symbol* const end = begin + path.size();
    bool start_hidden = false;
    for (const Symbol* at = begin;; ++at) {
        if (at != end && !is_separator(*at)) continue;
        const bool end_hidden = at != end && is_hidden_separator(*at);
        if (is_climbing(begin, at, start_hidden || end_hidden)) return true;
        if (at == end) return false;
        begin = at + 1;
        start_hidden = end_hidden;
    }
}

std::string percent_encode(std::string_view text) {
    constexpr char kHex[] = "0123456789ABCDEF";
    std::string out;
    out.reserve(text.size());
    for (char c : text) {
        const auto octet = static_cast<std::uint8_t>(c);
        const bool unreserved = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                                (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_' ||
                                c == '~';
        if (unreserved) {
            out += c;
        } else {
            out += '%';
            out += kHex[octet >> 4];
            out += kHex[octet & 0x0f];
        }
    }
    return out;
}

std::string safe_return_target(std::string_view raw_uri) {
    constexpr const char* kRoot = "/";
    if (!raw_uri.starts_with('/')) return kRoot;
    for (char c : raw_uri) {
        const auto octet = static_cast<std::uint8_t>(c);
        if (octet <= 0x20 || octet == 0x7f || c == '\\') return kRoot;
    }
    // A login page that decodes once more than it should must not find "//host" or "/\host" either;
    // browsers drop tabs and line ends before they look.
    const std::vector<Symbol> decoded = decode_fully(raw_uri);
    if (decoded.size() > 1) {
        const Symbol& second = decoded[1];
        if (is_separator(second) || second.octet <= 0x20 || second.octet == 0x7f) return kRoot;
    }
    return std::string(raw_uri);
}

}  // namespace gate::http
