#include "policy/reply_template.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/json_text.h"
#include "base/reason.h"

namespace gate::policy {

namespace {

using jose::Value;
using Kind = Value::Kind;

// The field name at the start of `text`, behind its '$': words joined by dots. A dot that no word
// follows is text ("Hello $name.").
std::string_view leading_name(std::string_view text) noexcept {
    std::size_t size = 0;
    while (size < text.size()) {
        const bool joining =
            text[size] == '.' && size > 0 && size + 1 < text.size() && is_word(text[size + 1]);
        if (!is_word(text[size]) && !joining) break;
        ++size;
    }
    return text.substr(0, size);
}

// A string that is one field: "$name" or "$name?".
struct WholeField {
    std::string_view name;  // "" for any other string
    bool optional = false;
};

WholeField whole_field(std::string_view text) noexcept {
    if (!text.starts_with('$')) return {};
    const std::string_view name = leading_name(text.substr(1));
    const std::string_view rest = text.substr(1 + name.size());
    if (rest.empty()) return {name, false};
    if (rest == "?") return {name, true};
    return {};
}

// Calls text(piece) and field(name) for the pieces of a string in order.
template <class Text, class Field>
void for_each_part(std::string_view string, Text text, Field field) {
    while (!string.empty()) {
        const std::size_t dollar = std::min(string.find('$'), string.size());
        const std::string_view name =
            dollar < string.size() ? leading_name(string.substr(dollar + 1)) : std::string_view{};
        if (name.empty()) {
            const std::size_t size = std::min(dollar + 1, string.size());
            text(string.substr(0, size));
            string.remove_prefix(size);
            continue;
        }
        text(string.substr(0, dollar));
        field(name);
        string.remove_prefix(dollar + 1 + name.size());
    }
}

template <class Names>
bool contains(const Names& names, std::string_view field) noexcept {
    return std::ranges::any_of(names, [&](auto& known) { return is_named_by(known, field); });
}

template <class Names>
std::string listed(const Names& names) {
    std::string list;
    for (const std::string_view name : names) list.append(list.empty() ? "$" : ", $").append(name);
    return list.empty() ? "none" : list;
}

bool names_any(Value value, const std::vector<std::string>& names) {
    bool found = false;
    if (const auto string = value.string()) {
        for_each_part(
            *string, [](std::string_view) {},
            [&](std::string_view name) { found = found || contains(names, name); });
    }
    if (value.is(Kind::kArray)) {
        for (std::size_t i = 0; i < value.size(); ++i)
            found = found || names_any(value.at(i), names);
    }
    for (std::string_view member : value.member_names()) {
        found = found || names_any(value.member(member), names);
    }
    return found;
}

// Checks that every field is known where it stands; `record` inside a repeating array.
class Checker {
public:
    Checker(const std::vector<std::string_view>& known,
            const std::vector<std::string>& record_fields)
        : known_(known), record_fields_(record_fields) {}

    // The first problem, or "".
    std::string check(Value value, bool record) const {
        std::string problem;
        if (const auto string = value.string()) {
            for_each_part(
                *string, [](std::string_view) {},
                [&](std::string_view name) {
                    if (problem.empty()) problem = check_field(name, record);
                });
        }
        if (value.is(Kind::kArray)) {
            const bool repeats = value.size() == 1 && names_any(value, record_fields_);
            for (std::size_t i = 0; problem.empty() && i < value.size(); ++i) {
                problem = check(value.at(i), record || repeats);
            }
        }
        for (std::string_view member : value.member_names()) {
            if (problem.empty()) problem = check(value.member(member), record);
        }
        return problem;
    }

private:
    std::string check_field(std::string_view name, bool record) const {
        if (contains(known_, name)) return {};
        if (contains(record_fields_, name)) {
            if (record) return {};
            return "field \"$" + std::string(name) +
                   "\" belongs to a record; it can only stand in an array of one element";
        }
        return "unknown field \"$" + std::string(name) + "\"; known are " + listed(known_) +
               (record_fields_.empty()
                    ? ""
                    : ", and in an array of one element " + listed(record_fields_));
    }

    const std::vector<std::string_view>& known_;
    const std::vector<std::string>& record_fields_;
};

// A field's JSON text as characters inside a string literal.
std::string as_text(const std::string& json) {
    if (json.empty() || json == "null") return {};
    if (json.size() >= 2 && json.front() == '"') return json.substr(1, json.size() - 2);
    std::string out;
    append_json_escaped(out, json);
    return out;
}

class Renderer {
public:
    using Fields = ReplyTemplate::Fields;
    Renderer(const Fields& fields, const std::vector<Fields>& records,
             const std::vector<std::string>& record_fields)
        : fields_(fields), records_(records), record_fields_(record_fields) {}

    // JSON text of `value`; "" for what is left out.
    std::string render(Value value, const Fields* record) const {
        if (const auto string = value.string()) return render_string(*string, record);
        if (value.is(Kind::kObject)) return render_object(value, record);
        if (value.is(Kind::kArray)) return render_array(value, record);
        return value.dump();
    }

private:
    std::string field(std::string_view name, const Fields* record) const {
        if (record != nullptr && contains(record_fields_, name)) return (*record)(name);
        return fields_(name);
    }

    std::string render_string(std::string_view string, const Fields* record) const {
        const WholeField whole = whole_field(string);
        if (!whole.name.empty()) {
            std::string json = field(whole.name, record);
            if (json.empty() && !whole.optional) json = "null";
            return json;
        }
        std::string out = "\"";
        for_each_part(
            string, [&](std::string_view text) { append_json_escaped(out, text); },
            [&](std::string_view name) { out += as_text(field(name, record)); });
        return out + "\"";
    }

    std::string render_object(Value object, const Fields* record) const {
        std::string out = "{";
        for (std::string_view name : object.member_names()) {
            const std::string json = render(object.member(name), record);
            if (json.empty()) continue;
            if (out.size() > 1) out += ',';
            out.append(json_string(name)).append(":").append(json);
        }
        return out + "}";
    }

    std::string render_array(Value array, const Fields* record) const {
        std::string out = "[";
        const auto append = [&](const std::string& json) {
            if (json.empty()) return;
            if (out.size() > 1) out += ',';
            out += json;
        };
        if (record == nullptr && array.size() == 1 && names_any(array, record_fields_)) {
            for (const Fields& each : records_) append(render(array.at(0), &each));
        } else {
            for (std::size_t i = 0; i < array.size(); ++i) append(render(array.at(i), record));
        }
        return out + "]";
    }

    const Fields& fields_;
    const std::vector<Fields>& records_;
    const std::vector<std::string>& record_fields_;
};

}  // namespace

bool is_named_by(std::string_view known, std::string_view field) noexcept {
    constexpr std::string_view kAny = "NAME";
    if (!known.ends_with(".NAME")) return known == field;
    known.remove_suffix(kAny.size());
    return field.size() > known.size() && field.starts_with(known);
}

Result<ReplyTemplate, std::string> ReplyTemplate::parse(
    std::string_view json, const std::vector<std::string_view>& known,
    const std::vector<std::string_view>& record_fields) {
    auto document = jose::Document::parse(json);
    if (!document) {
        return fail("not a JSON object (" + std::string(code(document.error())) + ")");
    }
    ReplyTemplate reply;
    reply.template_ = *std::move(document);
    reply.record_fields_.assign(record_fields.begin(), record_fields.end());
    const Checker checker(known, reply.record_fields_);
    if (std::string problem = checker.check(reply.template_.root(), false); !problem.empty()) {
        return fail(std::move(problem));
    }
    return reply;
}

std::string ReplyTemplate::render(const Fields& fields, const std::vector<Fields>& records) const {
    return Renderer(fields, records, record_fields_).render(template_.root(), nullptr);
}

}  // namespace gate::policy
