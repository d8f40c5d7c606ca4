// Bodies of requests: whatever is accepted has one reading, the one of a JSON parser or of a form's
// grammar. Lines: Content-Type, then the body.
#include <jansson.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/utf8.h"
#include "policy/field_names.h"
#include "policy/request_fields.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace gate;
using policy::RequestFields;
using JsonPtr = std::unique_ptr<json_t, void (*)(json_t*)>;

constexpr std::string_view kBlanks = " \t\r\n";
constexpr Seconds kNow = 1700000000;

bool is_printable(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= ' ' && c < '\x7f'; });
}

bool is_text(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        if (length == 0 || text.front() == '\0') return false;
        text.remove_prefix(length);
    }
    return true;
}

std::string encoded(std::string_view text) {
    std::string out;
    for (const std::uint8_t octet : bytes_of(text)) {
        out += '%';
        out += to_hex({&octet, 1});
    }
    return out;
}

// A form that means the same, spelled differently; each '%' of the one that was accepted counts.
void check_form(const RequestFields& fields, std::string_view body) {
    for (std::size_t i = 0; i < body.size(); ++i) {
        if (body[i] != '%') continue;
        GATE_INVARIANT(body.size() - i > 2);
        GATE_INVARIANT(std::isxdigit(static_cast<unsigned char>(body[i + 1])) &&
                       std::isxdigit(static_cast<unsigned char>(body[i + 2])));
    }
    std::string same;
    std::size_t pairs = 0;
    for (const std::string_view name : fields.names()) {
        const auto text = fields.text(name);
        GATE_INVARIANT(text && text->has_value() == !name.empty());
        same += (pairs++ == 0 ? "" : "&") + encoded(name) + "=" + encoded(text->value_or(""));
    }
    std::size_t pieces = 0;
    for (std::size_t at = 0; at < body.size(); ++at) {
        pieces += body[at] != '&' && (at == 0 || body[at - 1] == '&');
    }
    GATE_INVARIANT(pieces == pairs);
    const auto again = RequestFields::parse("", same);
    GATE_INVARIANT(again || same.size() > RequestFields::kMaxBody);
    if (!again) return;
    GATE_INVARIANT(again->names() == fields.names());
    for (const std::string_view name : fields.names()) {
        GATE_INVARIANT(*again->text(name) == *fields.text(name));
    }
}

void check_json(const RequestFields& fields, std::string_view body) {
    constexpr std::size_t kFlags = JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL;
    const JsonPtr json(json_loadb(body.data(), body.size(), kFlags, nullptr),
                       [](json_t* value) { json_decref(value); });
    GATE_INVARIANT(json_is_object(json.get()));
    GATE_INVARIANT(json_object_size(json.get()) == fields.names().size());
    const char* key = nullptr;
    json_t* value = nullptr;
    json_object_foreach(json.get(), key, value) {
        const std::string_view name(key);
        if (name.empty()) continue;
        GATE_INVARIANT(fields.present(name) == !json_is_null(value));
        const auto text = fields.text(name);
        GATE_INVARIANT((text && *text) == json_is_string(value));
        if (json_is_string(value)) {
            GATE_INVARIANT(**text ==
                           std::string_view(json_string_value(value), json_string_length(value)));
        }
        const auto integer = fields.integer(name);
        if (json_is_integer(value)) GATE_INVARIANT(**integer == json_integer_value(value));
        if (json_is_array(value)) {
            const auto list = fields.list(name);
            GATE_INVARIANT(!list || (*list)->size() == json_array_size(value));
        }
    }
}

// All readings of one field agree with each other.
void check_field(const RequestFields& fields, std::string_view name) {
    const auto text = fields.text(name);
    const auto integer = fields.integer(name);
    const auto boolean = fields.boolean(name);
    const auto instant = fields.instant(name);
    const auto list = fields.list(name);
    if (!fields.present(name)) {
        GATE_INVARIANT(text && !*text && integer && !*integer && boolean && !*boolean);
        GATE_INVARIANT(instant && !*instant && list && !*list);
        return;
    }
    for (const bool nothing :
         {text && !*text, integer && !*integer, boolean && !*boolean, list && !*list}) {
        GATE_INVARIANT(!nothing);
    }
    GATE_INVARIANT(!(integer && boolean));
    if (text) GATE_INVARIANT(is_text(**text) && list);
    if (text && boolean) GATE_INVARIANT(**text == (**boolean ? "true" : "false"));
    if (instant) {
        GATE_INVARIANT(**instant >= 0 && rfc3339(**instant).size() == 20);
        GATE_INVARIANT(!integer || *integer == *instant);
        if (!integer) GATE_INVARIANT(rfc3339(**instant) == **text);
    }
    if (text && list) {
        for (const std::string_view word : **list) {
            GATE_INVARIANT(!word.empty() && word.find_first_of(kBlanks) == word.npos);
        }
    }
}

void check_expiry(const RequestFields& fields) {
    const auto expiry = policy::read_expiry(fields, {}, kNow);
    if (!expiry) {
        GATE_INVARIANT(is_printable(expiry.error()));
        return;
    }
    GATE_INVARIANT(expiry->has_value() == (fields.present("expires") || fields.present("ttl")));
    if (*expiry) GATE_INVARIANT(**expiry > kNow);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    const std::string_view type = input.line();
    const std::string_view body = input.rest();
    const auto fields = RequestFields::parse(type, body);
    const std::size_t first = body.find_first_not_of(kBlanks);
    const bool brace = first != body.npos && body[first] == '{';
    if (brace) GATE_INVARIANT(RequestFields::parse("text/plain", body).operator bool() == !!fields);
    if (!fields) {
        GATE_INVARIANT(!fields.error().text.empty() && is_printable(fields.error().text));
        GATE_INVARIANT((fields.error().problem == policy::BodyProblem::kTooLarge) ==
                       (body.size() > RequestFields::kMaxBody));
        return 0;
    }
    const auto names = fields->names();
    GATE_INVARIANT(names.size() <= RequestFields::kMaxFields);
    GATE_INVARIANT(std::set<std::string_view>(names.begin(), names.end()).size() == names.size());
    if (brace) check_json(*fields, body);
    if (!brace && first != body.npos) check_form(*fields, body);
    for (const std::string_view name : names) {
        GATE_INVARIANT(is_text(name));
        check_field(*fields, name);
    }
    check_field(*fields, "no such field");
    check_expiry(*fields);
    return 0;
}
