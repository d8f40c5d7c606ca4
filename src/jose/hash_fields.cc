#include "jose/hash_fields.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/json_object.h"
#include "base/json_text.h"

namespace gate::jose {

namespace {

using Kind = Value::Kind;

constexpr std::string_view kVersionText = "1";

Failure<std::string> wrong(std::string_view name, std::string_view problem) {
    constexpr std::size_t kShown = 60;
    return fail("field \"" + log_escaped(name, kShown) + "\" " + std::string(problem));
}

// Digits that are a number in JSON, too, and few enough for 64 bits.
bool is_number(std::string_view text) noexcept {
    constexpr std::size_t kMostDigits = 18;
    return !text.empty() && text.size() <= kMostDigits && (text == "0" || text.front() != '0') &&
           std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// The one JSON value that `text` is, written anew; empty where it is not just one of that kind. In
// an object of its own, so that a text which goes on behind its value shows as another member.
std::string one_value(std::string_view text, Kind kind) {
    const std::string object = "{\"value\":" + std::string(text) + "}";
    const auto document = Document::parse(object, kOperatorLimits);
    if (!document || document->root().size() != 1) return {};
    const Value value = document->root().member("value");
    return value.is(kind) ? value.dump() : std::string();
}

Status<std::string> add_field(JsonObject& object, const KnownField& known, std::string_view text) {
    switch (known.form) {
        case FieldForm::kVersion:
            // The JSON form may go without.
            if (text != kVersionText) return wrong(known.name, "is wrong; expected 1");
            break;
        case FieldForm::kText:
            object.text(known.name, text);
            break;
        case FieldForm::kNumber:
        case FieldForm::kInstant:
            // What is no number is refused as a text, or as an instant that it is not.
            is_number(text) ? object.raw(known.name, text) : object.text(known.name, text);
            break;
        case FieldForm::kList:
        case FieldForm::kObject: {
            const bool list = known.form == FieldForm::kList;
            const std::string json = one_value(text, list ? Kind::kArray : Kind::kObject);
            if (json.empty()) {
                return wrong(known.name, list ? "is no JSON array" : "is no JSON object");
            }
            object.raw(known.name, json);
            break;
        }
    }
    return Done{};
}

// Octets that are no UTF-8 would come out as U+FFFD, and so two owners as one.
Status<std::string> check_texts(std::span<const Field> fields, Value object) {
    for (const auto& [name, text] : fields) {
        const auto value = object.member(name).string();
        if (value && *value != text) return wrong(name, "is not valid UTF-8");
    }
    return Done{};
}

}  // namespace

Result<Document, std::string> document_of_fields(std::span<const Field> fields,
                                                 std::span<const KnownField> known) {
    JsonObject object;
    std::vector<bool> seen(known.size());
    for (const auto& [name, text] : fields) {
        const auto found = std::ranges::find(known, name, &KnownField::name);
        if (found == known.end()) return wrong(name, "is unknown");
        const auto place = static_cast<std::size_t>(found - known.begin());
        if (seen[place]) return wrong(name, "is there twice");
        seen[place] = true;
        if (auto done = add_field(object, *found, text); !done) return fail(done.error());
    }
    if (!seen.front()) return wrong(known.front().name, "is missing; expected 1");
    auto document = Document::parse(object.str(), kOperatorLimits);
    if (!document) return fail("as JSON: " + std::string(code(document.error())));
    if (auto done = check_texts(fields, document->root()); !done) return fail(done.error());
    return *std::move(document);
}

std::string about_field(std::string_view error) {
    constexpr std::string_view kMember = "member";
    return "field" + std::string(error.substr(kMember.size()));
}

FieldWriter::FieldWriter() {
    text("v", kVersionText);
}

FieldWriter& FieldWriter::text(std::string_view name, std::string_view value) {
    if (value.empty()) return *this;
    fields_.emplace_back(name);
    fields_.emplace_back(value);
    return *this;
}

FieldWriter& FieldWriter::list(std::string_view name, const std::vector<std::string>& elements) {
    std::vector<std::string> json;
    json.reserve(elements.size());
    for (const std::string& element : elements) json.push_back(json_string(element));
    return text(name, json.empty() ? std::string() : json_array(json));
}

FieldWriter& FieldWriter::instant(std::string_view name, std::optional<Seconds> when) {
    return when ? text(name, rfc3339(*when)) : *this;
}

FieldWriter& FieldWriter::object(std::string_view name, const Document& value) {
    return value.root().present() ? text(name, value.root().dump()) : *this;
}

}  // namespace gate::jose
