// Reply templates: whatever the template and the fields hold, the answer is JSON, and the fields
// come out of it as they went in. Lines: value of $name, value of $note; then the template.
#include <jansson.h>

#include <memory>
#include <string>
#include <vector>

#include "base/json_text.h"
#include "jose/json.h"
#include "policy/reply_template.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace gate;
using JsonPtr = std::unique_ptr<json_t, void (*)(json_t*)>;

JsonPtr load(std::string_view text) {
    constexpr std::size_t kFlags = JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES;
    return {json_loadb(text.data(), text.size(), kFlags, nullptr),
            [](json_t* json) { json_decref(json); }};
}

// A string literal means the text it was made of, where that was UTF-8.
void check_literal(std::string_view text) {
    const std::string literal = json_string(text);
    const JsonPtr json = load(literal);
    GATE_INVARIANT(json_is_string(json.get()));
    for (const char c : literal) GATE_INVARIANT(static_cast<std::uint8_t>(c) >= 0x20 && c != 0x7f);
    const std::unique_ptr<json_t, void (*)(json_t*)> utf8(
        json_stringn(text.data(), text.size()), [](json_t* value) { json_decref(value); });
    if (utf8) GATE_INVARIANT(json_equal(json.get(), utf8.get()) == 1);
}

void check_template(std::string_view text, const std::string& name, const std::string& note) {
    const auto reply =
        policy::ReplyTemplate::parse(text, {"name", "note", "count", "gone"}, {"id", "label"});
    if (!reply) {
        GATE_INVARIANT(!reply.error().empty());
        return;
    }
    const auto fields = [&](std::string_view field) -> std::string {
        if (field == "name") return json_string(name);
        if (field == "note") return json_string(note);
        if (field == "count") return "12";
        GATE_INVARIANT(field == "gone");
        return "";
    };
    std::vector<policy::ReplyTemplate::Fields> records;
    for (const char* id : {"1", "2"}) {
        records.emplace_back([id, &note, &fields](std::string_view field) -> std::string {
            if (field == "id") return id;
            if (field == "label") return json_string(note);
            return fields(field);
        });
    }
    for (const auto& list : {records, {}}) {
        const std::string out = reply->render(fields, list);
        const JsonPtr json = load(out);
        GATE_INVARIANT(json_is_object(json.get()));
        const JsonPtr input = load(text);
        const char* key = nullptr;
        json_t* value = nullptr;
        json_object_foreach(input.get(), key, value) {
            const json_t* got = json_object_get(json.get(), key);
            if (json_is_string(value) && std::string_view(json_string_value(value)) == "$name" &&
                json_string_length(value) == 5) {
                const JsonPtr wanted = load(json_string(name));
                GATE_INVARIANT(json_equal(got, wanted.get()) == 1);
            } else if (json_is_number(value) || json_is_boolean(value) || json_is_null(value)) {
                GATE_INVARIANT(json_equal(got, value) == 1);
            }
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    gate::fuzz::Input input(data, size);
    const std::string name(input.line());
    const std::string note(input.line());
    check_literal(name);
    check_literal(input.rest());
    check_template(input.rest(), name, note);
    return 0;
}
