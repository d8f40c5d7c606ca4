#include "apikey/record_fields.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/json_object.h"
#include "base/json_text.h"

namespace gate::apikey {

namespace {

using jose::Value;
using Kind = Value::Kind;

enum class Form : std::uint8_t { kVersion, kText, kNumber, kInstant, kList, kObject };

struct Known {
    std::string_view name;
    Form form;
};

constexpr std::array<Known, 16> kFields{{{"v", Form::kVersion},
                                         {"id", Form::kText},
                                         {"digest", Form::kText},
                                         {"name", Form::kText},
                                         {"owner", Form::kText},
                                         {"scopes", Form::kList},
                                         {"roles", Form::kList},
                                         {"groups", Form::kList},
                                         {"status", Form::kText},
                                         {"created", Form::kInstant},
                                         {"not_before", Form::kInstant},
                                         {"expires", Form::kInstant},
                                         {"rate", Form::kText},
                                         {"burst", Form::kNumber},
                                         {"cidr", Form::kList},
                                         {"labels", Form::kObject}}};

constexpr std::string_view kVersionText = "1";
static_assert(Record::kVersion == 1);

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
    const auto document = jose::Document::parse(object, jose::kOperatorLimits);
    if (!document || document->root().size() != 1) return {};
    const Value value = document->root().member("value");
    return value.is(kind) ? value.dump() : std::string();
}

Status<std::string> add_field(JsonObject& object, const Known& known, std::string_view text) {
    switch (known.form) {
        case Form::kVersion:
            // The JSON form may go without.
            if (text != kVersionText) return wrong(known.name, "is wrong; expected 1");
            break;
        case Form::kText:
            object.text(known.name, text);
            break;
        case Form::kNumber:
        case Form::kInstant:
            // What is no number is refused as a text, or as an instant that it is not.
            is_number(text) ? object.raw(known.name, text) : object.text(known.name, text);
            break;
        case Form::kList:
        case Form::kObject: {
            const bool list = known.form == Form::kList;
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

void append_text(std::vector<std::string>& out, std::string_view name, std::string_view text) {
    if (text.empty()) return;
    out.emplace_back(name);
    out.emplace_back(text);
}

void append_list(std::vector<std::string>& out, std::string_view name,
                 const std::vector<std::string>& elements) {
    std::vector<std::string> json;
    json.reserve(elements.size());
    for (const std::string& element : elements) json.push_back(json_string(element));
    append_text(out, name, json.empty() ? std::string() : json_array(json));
}

void append_instant(std::vector<std::string>& out, std::string_view name,
                    std::optional<Seconds> when) {
    if (when) append_text(out, name, rfc3339(*when));
}

}  // namespace

Result<Record, std::string> record_of_fields(std::span<const Field> fields) {
    JsonObject object;
    std::array<bool, kFields.size()> seen{};
    for (const auto& [name, text] : fields) {
        const auto known = std::ranges::find(kFields, name, &Known::name);
        if (known == kFields.end()) return wrong(name, "is unknown");
        bool& twice = seen[static_cast<std::size_t>(known - kFields.begin())];
        if (twice) return wrong(name, "is there twice");
        twice = true;
        if (auto done = add_field(object, *known, text); !done) return fail(done.error());
    }
    if (!seen.front()) return wrong(kFields.front().name, "is missing; expected 1");
    const auto document = jose::Document::parse(object.str(), jose::kOperatorLimits);
    if (!document) return fail("as JSON: " + std::string(code(document.error())));
    if (auto done = check_texts(fields, document->root()); !done) return fail(done.error());
    auto record = Record::from_json(document->root(), Record::Values::kHidden);
    constexpr std::string_view kMember = "member";
    if (!record) return fail("field" + record.error().substr(kMember.size()));
    return record;
}

std::vector<std::string> fields_of_record(const Record& record) {
    std::vector<std::string> out;
    append_text(out, "v", kVersionText);
    append_text(out, "id", record.id);
    append_text(out, "digest", record.digest);
    append_text(out, "name", record.name);
    append_text(out, "owner", record.owner);
    append_list(out, "scopes", record.scopes);
    append_list(out, "roles", record.roles);
    append_list(out, "groups", record.groups);
    append_text(out, "status", name_of(record.status));
    append_instant(out, "created",
                   record.created != 0 ? std::optional(record.created) : std::nullopt);
    append_instant(out, "not_before", record.not_before);
    append_instant(out, "expires", record.expires);
    append_text(out, "rate", record.rate);
    if (record.burst) append_text(out, "burst", std::to_string(*record.burst));
    std::vector<std::string> networks;
    for (const Network& network : record.networks) networks.push_back(network.text());
    append_list(out, "cidr", networks);
    if (record.labels.root().present()) append_text(out, "labels", record.labels.root().dump());
    return out;
}

}  // namespace gate::apikey
