// A record as the fields of a Redis hash, to and from its JSON form: texts as they are, lists and
// objects as JSON, instants as RFC 3339 or Unix seconds, "v" the version.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "jose/json.h"

namespace gate::jose {

using Field = std::pair<std::string_view, std::string_view>;

enum class FieldForm : std::uint8_t { kVersion, kText, kNumber, kInstant, kList, kObject };

struct KnownField {
    std::string_view name;
    FieldForm form;
};

// The record's JSON form without its version, which must be 1. `known` begins with it. Errors are
// sentences without the values of fields, which may be anything: "field \"x\" is unknown".
Result<Document, std::string> document_of_fields(std::span<const Field> fields,
                                                 std::span<const KnownField> known);

// "member ..", as a MemberReader says it, about a field.
std::string about_field(std::string_view error);

// Name and value in turn, as HSET takes them; what has no value is left out.
class FieldWriter {
public:
    FieldWriter();  // with the version
    FieldWriter& text(std::string_view name, std::string_view value);
    FieldWriter& list(std::string_view name, const std::vector<std::string>& elements);
    FieldWriter& instant(std::string_view name, std::optional<Seconds> when);
    FieldWriter& object(std::string_view name, const Document& value);
    std::vector<std::string> take() && { return std::move(fields_); }

private:
    std::vector<std::string> fields_;
};

}  // namespace gate::jose
