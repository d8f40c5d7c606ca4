// Strict JSON for text that strangers wrote: one object, RFC 8259, UTF-8, no duplicate members, and
// limits checked before the parser allocates. On jansson.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/reason.h"
#include "base/result.h"

struct json_t;

namespace gate::jose {

struct JsonLimits {
    unsigned depth = 32;       // nested arrays and objects
    unsigned members = 256;    // of one object
    unsigned elements = 4096;  // of one array
    // In all, or one for five octets of text where that is more; a number with a fraction or an
    // exponent counts as three. Each costs the parser what 5 to 10 octets of a string cost, and no
    // token may cost twice an ordinary one of its size (`make cost`).
    unsigned values = 1024;
};

// For files of 100,000 keys and more, and nginx's dump: the operator's own word.
inline constexpr JsonLimits kOperatorLimits{
    .depth = 32, .members = 256, .elements = 1'000'000, .values = 10'000'000};

// A view of a value inside a Document; valid as long as the Document lives. A default-made Value is
// "absent" and answers every question with nothing.
class Value {
public:
    enum class Kind : std::uint8_t {
        kAbsent,
        kNull,
        kBool,
        kInteger,
        kReal,
        kString,
        kArray,
        kObject
    };

    Value() = default;
    explicit Value(const json_t* json) : json_(json) {}

    Kind kind() const noexcept;
    bool present() const noexcept { return json_ != nullptr; }
    bool is(Kind kind_wanted) const noexcept { return kind() == kind_wanted; }

    std::optional<std::string_view> string() const noexcept;
    std::optional<std::int64_t> integer() const noexcept;
    std::optional<double> number() const noexcept;  // integer or real
    std::optional<bool> boolean() const noexcept;

    // Elements of an array, members of an object; 0 otherwise.
    std::size_t size() const noexcept;
    Value at(std::size_t index) const noexcept;
    Value member(std::string_view name) const noexcept;
    std::vector<std::string_view> member_names() const;

    // `path` as a whole name first; only when that is absent, split at dots into members of
    // members.
    Value find(std::string_view path) const noexcept;

    // The strings of an array of strings, or the one string; nullopt when absent or anything else.
    std::optional<std::vector<std::string_view>> string_list() const;

    // Compact JSON text.
    std::string dump() const;

private:
    const json_t* json_ = nullptr;
};

class Document {
public:
    Document() = default;

    // kJsonBad, kJsonDup, kJsonLimit, or kClaimRange for a number that no int64 or double holds.
    // Anything but an object is kJsonBad. Linear in text.size().
    static Result<Document, Reason> parse(std::string_view text, const JsonLimits& limits = {});

    Value root() const noexcept { return Value(root_.get()); }

private:
    std::shared_ptr<json_t> root_;
};

}  // namespace gate::jose
