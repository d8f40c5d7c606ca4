#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>
#include <vector>

#include "jose/json_tree.h"

namespace gate::jose {

namespace {

using Kind = Value::Kind;

// Objects up to this size are searched for duplicate names pair by pair, larger ones by sorting.
constexpr std::size_t kFewMembers = 16;

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

// Octets of the UTF-8 sequence at `at` (RFC 3629: no overlong form, no surrogate, at most
// U+10FFFF); 0 where there is none.
std::size_t utf8_length(const char* at, const char* end) noexcept {
    const auto octet = [at](std::size_t i) { return static_cast<std::uint8_t>(at[i]); };
    const auto continues = [&octet](std::size_t i) { return (octet(i) & 0xc0) == 0x80; };
    const auto left = static_cast<std::size_t>(end - at);
    const std::uint8_t first = octet(0);
    if (first >= 0xc2 && first <= 0xdf) return left >= 2 && continues(1) ? 2 : 0;
    if ((first & 0xf0) == 0xe0) {
        if (left < 3 || !continues(1) || !continues(2)) return 0;
        if (first == 0xe0 && octet(1) < 0xa0) return 0;
        if (first == 0xed && octet(1) > 0x9f) return 0;
        return 3;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        if (left < 4 || !continues(1) || !continues(2) || !continues(3)) return 0;
        if (first == 0xf0 && octet(1) < 0x90) return 0;
        if (first == 0xf4 && octet(1) > 0x8f) return 0;
        return 4;
    }
    return 0;
}

char* put_utf8(char* to, std::uint32_t point) noexcept {
    const auto put = [&to](std::uint32_t octet) { *to++ = static_cast<char>(octet); };
    if (point < 0x80) {
        put(point);
    } else if (point < 0x800) {
        put(0xc0 | point >> 6);
        put(0x80 | (point & 0x3f));
    } else if (point < 0x10000) {
        put(0xe0 | point >> 12);
        put(0x80 | (point >> 6 & 0x3f));
        put(0x80 | (point & 0x3f));
    } else {
        put(0xf0 | point >> 18);
        put(0x80 | (point >> 12 & 0x3f));
        put(0x80 | (point >> 6 & 0x3f));
        put(0x80 | (point & 0x3f));
    }
    return to;
}

// Whether a number too large or too small for a double is too large: the place of its first digit
// that is not zero, moved by its exponent, stands left of the decimal point.
bool is_huge(std::string_view number) noexcept {
    const std::size_t exponent_at = std::min(number.find_first_of("eE"), number.size());
    const std::string_view mantissa = number.substr(0, exponent_at);
    const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
    const std::size_t first = mantissa.find_first_of("123456789");
    if (first == std::string_view::npos) return false;
    std::int64_t exponent = 0;
    if (exponent_at != number.size()) {
        std::string_view digits = number.substr(exponent_at + 1);
        const bool negative = digits.front() == '-';
        if (negative || digits.front() == '+') digits.remove_prefix(1);
        // Ten digits outweigh every mantissa that fits in memory.
        for (char c : digits)
            exponent = std::min<std::int64_t>(exponent * 10 + (c - '0'), 1LL << 40);
        if (negative) exponent = -exponent;
    }
    return static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first) + exponent > 0;
}

class Parser {
public:
    Parser(char* begin, char* end, const JsonLimits& limits, std::pmr::memory_resource& arena)
        : at_(begin), end_(end), limits_(limits), arena_(arena) {
        staged_.reserve(64);
    }

    // The first error stays in reason().
    bool document(JsonNode& root) {
        skip_blanks();
        if (!value()) return false;
        skip_blanks();
        if (at_ != end_ || staged_.back().kind != Kind::kObject) return error(Reason::kJsonBad);
        root = staged_.back();
        return true;
    }

    Reason reason() const noexcept { return reason_; }

private:
    bool error(Reason reason) noexcept {
        reason_ = reason;
        return false;
    }

    void skip_blanks() noexcept {
        while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
    }

    bool take(char c) noexcept {
        if (at_ == end_ || *at_ != c) return false;
        ++at_;
        return true;
    }

    JsonNode& stage(Kind kind, std::size_t size = 0) {
        JsonNode& node = staged_.emplace_back();
        node.kind = kind;
        node.size = static_cast<std::uint32_t>(size);
        return node;
    }

    // Every value() leaves exactly one node on the stack.
    bool value() {
        if (at_ == end_) return error(Reason::kJsonBad);
        switch (*at_) {
            case '{':
                return container(Kind::kObject, '}', limits_.members);
            case '[':
                return container(Kind::kArray, ']', limits_.elements);
            case '"':
                return string(true);
            case 't':
                return literal("true", Kind::kBool, true);
            case 'f':
                return literal("false", Kind::kBool, false);
            case 'n':
                return literal("null", Kind::kNull, false);
            default:
                return number();
        }
    }

    bool literal(std::string_view word, Kind kind, bool truth) {
        const auto left = static_cast<std::size_t>(end_ - at_);
        if (std::string_view(at_, left).substr(0, word.size()) != word) {
            return error(Reason::kJsonBad);
        }
        at_ += word.size();
        stage(kind).boolean = truth;
        return true;
    }

    bool container(Kind kind, char close, std::size_t limit) {
        if (++depth_ > limits_.depth) return error(Reason::kJsonLimit);
        ++at_;
        const std::size_t base = staged_.size();
        std::size_t count = 0;
        skip_blanks();
        if (!take(close)) {
            do {
                if (++count > limit) return error(Reason::kJsonLimit);
                skip_blanks();
                if (kind == Kind::kObject && !member_name()) return false;
                if (!value()) return false;
                skip_blanks();
            } while (take(','));
            if (!take(close)) return error(Reason::kJsonBad);
        }
        if (kind == Kind::kObject && has_duplicate(base)) return error(Reason::kJsonDup);
        const JsonNode* children = commit(base);
        JsonNode& node = stage(kind, count);
        node.children = children;
        --depth_;
        return true;
    }

    bool member_name() {
        if (at_ == end_ || *at_ != '"') return error(Reason::kJsonBad);
        if (!string(false)) return false;
        skip_blanks();
        if (!take(':')) return error(Reason::kJsonBad);
        skip_blanks();
        return true;
    }

    // Moves the nodes above `base` from the stack to the arena, side by side.
    const JsonNode* commit(std::size_t base) {
        const std::size_t count = staged_.size() - base;
        if (count == 0) return nullptr;
        auto* nodes =
            static_cast<JsonNode*>(arena_.allocate(count * sizeof(JsonNode), alignof(JsonNode)));
        std::uninitialized_copy_n(staged_.begin() + static_cast<std::ptrdiff_t>(base), count,
                                  nodes);
        staged_.resize(base);
        return nodes;
    }

    bool has_duplicate(std::size_t base) const {
        const std::size_t count = (staged_.size() - base) / 2;
        const auto name = [&](std::size_t i) { return staged_[base + 2 * i].string(); };
        if (count <= kFewMembers) {
            for (std::size_t i = 1; i < count; ++i) {
                for (std::size_t j = 0; j < i; ++j) {
                    if (name(i) == name(j)) return true;
                }
            }
            return false;
        }
        std::vector<std::string_view> names(count);
        for (std::size_t i = 0; i < count; ++i) names[i] = name(i);
        std::ranges::sort(names);
        return std::ranges::adjacent_find(names) != names.end();
    }

    // A string is unescaped where it stands: it never grows. A NUL is legal in a value and reaches
    // those who must refuse it as what it is; in a name it never is.
    bool string(bool nul_allowed) {
        char* const begin = ++at_;
        char* to = begin;
        for (;;) {
            if (at_ == end_) return error(Reason::kJsonBad);
            const char c = *at_;
            if (c == '"') break;
            if (c == '\\') {
                if (!escape(to, nul_allowed)) return error(Reason::kJsonBad);
            } else if (static_cast<signed char>(c) >= 0x20) {
                *to++ = c;
                ++at_;
            } else {
                const std::size_t length =
                    static_cast<std::uint8_t>(c) < 0x20 ? 0 : utf8_length(at_, end_);
                if (length == 0) return error(Reason::kJsonBad);
                std::memmove(to, at_, length);
                to += length;
                at_ += length;
            }
        }
        ++at_;
        stage(Kind::kString, static_cast<std::size_t>(to - begin)).text = begin;
        return true;
    }

    bool escape(char*& to, bool nul_allowed) noexcept {
        constexpr std::string_view kLetters = "\"\\/bfnrt";
        constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
        if (++at_ == end_) return false;
        const char letter = *at_++;
        if (letter != 'u') {
            const std::size_t which = kLetters.find(letter);
            if (which == std::string_view::npos) return false;
            *to++ = kMeanings[which];
            return true;
        }
        std::int32_t point = hex4();
        if (point < 0 || (point == 0 && !nul_allowed)) return false;
        if (point >= 0xd800 && point <= 0xdfff) {
            // A pair of a high and a low surrogate, or nothing (RFC 8259 section 8.2).
            if (point >= 0xdc00 || !take('\\') || !take('u')) return false;
            const std::int32_t low = hex4();
            if (low < 0xdc00 || low > 0xdfff) return false;
            point = 0x10000 + (point - 0xd800) * 0x400 + (low - 0xdc00);
        }
        to = put_utf8(to, static_cast<std::uint32_t>(point));
        return true;
    }

    // Four hexadecimal digits, or -1.
    std::int32_t hex4() noexcept {
        if (end_ - at_ < 4) return -1;
        std::uint32_t point = 0;
        const auto parsed = std::from_chars(at_, at_ + 4, point, 16);
        if (parsed.ec != std::errc() || parsed.ptr != at_ + 4) return -1;
        at_ += 4;
        return static_cast<std::int32_t>(point);
    }

    bool digits() noexcept {
        if (at_ == end_ || !is_digit(*at_)) return false;
        while (at_ != end_ && is_digit(*at_)) ++at_;
        return true;
    }

    // RFC 8259 section 6; whatever it is, a value cannot begin otherwise.
    bool number() {
        const char* const begin = at_;
        take('-');
        if (!take('0') && !digits()) return error(Reason::kJsonBad);
        bool real = false;
        if (take('.')) {
            real = true;
            if (!digits()) return error(Reason::kJsonBad);
        }
        if (take('e') || take('E')) {
            real = true;
            if (!take('+')) take('-');
            if (!digits()) return error(Reason::kJsonBad);
        }
        return real ? real_number({begin, at_}) : whole_number({begin, at_});
    }

    bool whole_number(std::string_view text) {
        std::int64_t number = 0;
        const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
        if (parsed.ec != std::errc()) return error(Reason::kClaimRange);
        stage(Kind::kInteger).integer = number;
        return true;
    }

    bool real_number(std::string_view text) {
        double number = 0;
        const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
        const bool out_of_range = parsed.ec == std::errc::result_out_of_range;
        if (out_of_range) number = 0;
        if ((out_of_range && is_huge(text)) || number > std::numeric_limits<double>::max() ||
            number < std::numeric_limits<double>::lowest()) {
            return error(Reason::kClaimRange);
        }
        stage(Kind::kReal).real = number;
        return true;
    }

    char* at_;
    char* const end_;
    const JsonLimits& limits_;
    std::pmr::memory_resource& arena_;
    std::vector<JsonNode> staged_;
    unsigned depth_ = 0;
    Reason reason_ = Reason::kNone;
};

}  // namespace

Reason parse_json(std::string_view text, const JsonLimits& limits, JsonTree& tree) {
    // Sizes of nodes have 32 bits.
    if (text.size() > std::numeric_limits<std::uint32_t>::max()) return Reason::kJsonLimit;
    tree.text = std::make_unique_for_overwrite<char[]>(text.size() + 1);
    std::copy(text.begin(), text.end(), tree.text.get());
    Parser parser(tree.text.get(), tree.text.get() + text.size(), limits, tree.arena);
    return parser.document(tree.root) ? Reason::kNone : parser.reason();
}

}  // namespace gate::jose
