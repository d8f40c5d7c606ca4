// gate_reply: JSON answers with fields. A string that is exactly "$field" becomes the field's JSON
// value ("$field?": left out if there is none); inside a longer string it is escaped text. An array
// with one element that names a field of a record repeats for each record.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "jose/json.h"

namespace gate::policy {

// Whether a field's name is the known one, or one of those that a known "label.NAME" stands for.
bool is_named_by(std::string_view known, std::string_view field) noexcept;

class ReplyTemplate {
public:
    // Checks JSON and field names against `known` (anywhere) and `record_fields` (inside a
    // repeating array only). Names are words of letters, digits and '_', joined by dots; one that
    // is known as "label.NAME" stands for all that begin with "label.". The JSON is an object.
    // Errors are sentences that name the field and what is known.
    static Result<ReplyTemplate, std::string> parse(
        std::string_view json, const std::vector<std::string_view>& known,
        const std::vector<std::string_view>& record_fields = {});

    // `fields` gives a field as JSON text ("\"abc\"", "12", "null"), or "" when there is none: null
    // in "$field", nothing in "$field?" and inside longer strings. `records` are the values of each
    // record.
    using Fields = std::function<std::string(std::string_view field)>;
    std::string render(const Fields& fields, const std::vector<Fields>& records = {}) const;

private:
    jose::Document template_;
    std::vector<std::string> record_fields_;
};

}  // namespace gate::policy
