#include "jose/json.h"

#include <jansson.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace gate::jose {

namespace {

// The deepest nesting that any limit may ask for: the scan keeps one counter a level on its stack.
constexpr std::size_t kMaxDepth = 64;

struct Level {
    bool object;
    unsigned commas;
};

// Octets of text for a value where a text has more values than JsonLimits::values.
constexpr std::size_t kDenseValue = 5;

// A fraction or an exponent makes a number cost as much as so many other values.
constexpr std::size_t kRealNumber = 3;

constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

// Counts nesting, members, elements and values in one pass, before the parser allocates for any of
// them. It knows strings and brackets only; whatever else is wrong the parser finds.
class LimitScan {
public:
    explicit LimitScan(const JsonLimits& limits) : limits_(limits) {}

    bool passes(std::string_view text) noexcept {
        const std::size_t max_values =
            std::max<std::size_t>(limits_.values, text.size() / kDenseValue);
        // One too many for each empty object or array.
        std::size_t values = 1;
        for (std::size_t i = 0; i < text.size(); ++i) {
            const char c = text[i];
            if (c == '"') {
                i = end_of_string(text, i);
            } else if (c == '{' || c == '[') {
                if (depth_ >= limits_.depth || depth_ >= kMaxDepth) return false;
                levels_[depth_++] = {c == '{', 0};
                ++values;
            } else if (c == '}' || c == ']') {
                if (depth_ > 0) --depth_;
            } else if (c == ',' && depth_ > 0) {
                Level& level = levels_[depth_ - 1];
                // n commas stand between n + 1 members.
                if (++level.commas >= (level.object ? limits_.members : limits_.elements)) {
                    return false;
                }
                ++values;
            } else if ((c == '.' || c == 'e' || c == 'E') && i > 0 && is_digit(text[i - 1])) {
                values += kRealNumber - 1;
            }
        }
        return values <= max_values;
    }

private:
    static std::size_t end_of_string(std::string_view text, std::size_t quote) noexcept {
        std::size_t i = quote + 1;
        while (i < text.size() && text[i] != '"') i += text[i] == '\\' ? 2 : 1;
        return i;
    }

    const JsonLimits& limits_;
    std::array<Level, kMaxDepth> levels_;
    std::size_t depth_ = 0;
};

Reason reason_of(const json_error_t& error) noexcept {
    switch (json_error_code(&error)) {
        case json_error_duplicate_key:
            return Reason::kJsonDup;
        case json_error_numeric_overflow:
            return Reason::kClaimRange;
        case json_error_stack_overflow:
            return Reason::kJsonLimit;
        case json_error_out_of_memory:
            return Reason::kInternal;
        default:
            return Reason::kJsonBad;
    }
}

struct JsonUnref {
    void operator()(json_t* json) const noexcept { json_decref(json); }
};

struct FreeText {
    void operator()(char* text) const noexcept { std::free(text); }
};

std::string_view view_of(const json_t* string) noexcept {
    return {json_string_value(string), json_string_length(string)};
}

}  // namespace

Value::Kind Value::kind() const noexcept {
    if (json_ == nullptr) return Kind::kAbsent;
    switch (json_typeof(json_)) {
        case JSON_OBJECT:
            return Kind::kObject;
        case JSON_ARRAY:
            return Kind::kArray;
        case JSON_STRING:
            return Kind::kString;
        case JSON_INTEGER:
            return Kind::kInteger;
        case JSON_REAL:
            return Kind::kReal;
        case JSON_TRUE:
        case JSON_FALSE:
            return Kind::kBool;
        case JSON_NULL:
            break;
    }
    return Kind::kNull;
}

std::optional<std::string_view> Value::string() const noexcept {
    if (!json_is_string(json_)) return std::nullopt;
    return view_of(json_);
}

std::optional<std::int64_t> Value::integer() const noexcept {
    if (!json_is_integer(json_)) return std::nullopt;
    return json_integer_value(json_);
}

std::optional<double> Value::number() const noexcept {
    if (!json_is_number(json_)) return std::nullopt;
    return json_number_value(json_);
}

std::optional<bool> Value::boolean() const noexcept {
    if (!json_is_boolean(json_)) return std::nullopt;
    return json_is_true(json_);
}

std::size_t Value::size() const noexcept {
    return json_is_array(json_) ? json_array_size(json_) : json_object_size(json_);
}

Value Value::at(std::size_t index) const noexcept {
    return Value(json_array_get(json_, index));
}

Value Value::member(std::string_view name) const noexcept {
    return Value(json_object_getn(json_, name.data(), name.size()));
}

std::vector<std::string_view> Value::member_names() const {
    std::vector<std::string_view> names;
    // The iteration functions take a pointer to non-const; they do not change the object.
    auto* object = const_cast<json_t*>(json_);
    for (void* at = json_object_iter(object); at != nullptr;
         at = json_object_iter_next(object, at)) {
        names.emplace_back(json_object_iter_key(at), json_object_iter_key_len(at));
    }
    return names;
}

Value Value::find(std::string_view path) const noexcept {
    if (const Value whole = member(path); whole.present()) return whole;
    Value here = *this;
    for (std::size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.')) {
        here = here.member(path.substr(0, dot));
        path.remove_prefix(dot + 1);
    }
    return here.member(path);
}

std::optional<std::vector<std::string_view>> Value::string_list() const {
    if (const auto one = string()) return std::vector<std::string_view>{*one};
    if (!json_is_array(json_)) return std::nullopt;
    std::vector<std::string_view> list;
    list.reserve(size());
    for (std::size_t i = 0; i < size(); ++i) {
        const auto element = at(i).string();
        if (!element) return std::nullopt;
        list.push_back(*element);
    }
    return list;
}

std::string Value::dump() const {
    const std::unique_ptr<char, FreeText> text(json_dumps(json_, JSON_COMPACT | JSON_ENCODE_ANY));
    return text ? std::string(text.get()) : std::string();
}

Result<Document, Reason> Document::parse(std::string_view text, const JsonLimits& limits) {
    // No JSON text holds a raw NUL; the parser overlooks one behind a number.
    if (text.find('\0') != std::string_view::npos) return fail(Reason::kJsonBad);
    if (!LimitScan(limits).passes(text)) return fail(Reason::kJsonLimit);
    // An escaped NUL inside a string value is legal JSON and reaches those who must refuse it as
    // what it is; inside a member's name the parser refuses it.
    constexpr std::size_t kFlags = JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL;
    json_error_t error;
    json_t* root = json_loadb(text.data(), text.size(), kFlags | JSON_DECODE_ANY, &error);
    if (root == nullptr) return fail(reason_of(error));
    Document document;
    document.root_.reset(root, JsonUnref());
    if (!json_is_object(root)) return fail(Reason::kJsonBad);
    return document;
}

}  // namespace gate::jose
