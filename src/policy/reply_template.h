// gate_reply: JSON answers with fields. A string that is exactly "$field" becomes the field's JSON
// value ("$field?": left out if there is none); inside a longer string it is escaped text. An array
// with one element that names fields of a record repeats for each record.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "jose/json.h"

namespace gate::policy {

class ReplyTemplate {
public:
    // Checks JSON and field names against `known`. Errors are sentences that name the field.
    static Result<ReplyTemplate, std::string> parse(std::string_view json,
                                                    const std::vector<std::string_view>& known);

    // `value` gives a field as JSON text ("\"abc\"", "12", "null"), or "" when there is none.
    // `records` are the values of each record for repeating arrays.
    using Fields = std::function<std::string(std::string_view field)>;
    std::string render(const Fields& fields, const std::vector<Fields>& records = {}) const;

private:
    jose::Document template_;
};

// JSON string literal with quotes.
std::string json_string(std::string_view text);

}  // namespace gate::policy
