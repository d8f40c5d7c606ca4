// Strict JSON for text that strangers wrote: one object, RFC 8259, UTF-8, no duplicate members, and
// limits on nesting and width that hold while it is read.
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

namespace gate::jose {

struct JsonNode;
struct JsonTree;

struct JsonLimits {
    unsigned depth = 32;       // nested arrays and objects
    unsigned members = 256;    // of one object
    unsigned elements = 4096;  // of one array
};

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
    explicit Value(const JsonNode* node) : node_(node) {}

    Kind kind() const noexcept;
    bool present() const noexcept { return node_ != nullptr; }
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
    const JsonNode* node_ = nullptr;
};

class Document {
public:
    Document() = default;

    // kJsonBad, kJsonDup, kJsonLimit, or kClaimRange for a number that no int64 or double holds.
    // Anything but an object is kJsonBad. Needs at most a small multiple of text.size() in memory
    // and as much time, but for the sorting of the names of one object. Copies what it keeps of
    // `text`.
    static Result<Document, Reason> parse(std::string_view text, const JsonLimits& limits = {});

    Value root() const noexcept;

private:
    std::shared_ptr<const JsonTree> tree_;
};

}  // namespace gate::jose
