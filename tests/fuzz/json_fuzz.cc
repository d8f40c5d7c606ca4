// Strict JSON and the JOSE header. The first line says how the rest is read: "doc" as a document,
// anything else as the header of a compact token.
#include <jansson.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <set>
#include <string>

#include "base/base64url.h"
#include "base/reason.h"
#include "jose/json.h"
#include "jose/token.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace gate;
using jose::Value;
using Kind = Value::Kind;

// Walks a document and counts again what the limits promise.
void check_value(Value value, unsigned depth, const jose::JsonLimits& limits) {
    GATE_INVARIANT(value.present());
    if (value.is(Kind::kObject)) {
        GATE_INVARIANT(depth < limits.depth);
        const auto names = value.member_names();
        GATE_INVARIANT(names.size() == value.size() && names.size() <= limits.members);
        GATE_INVARIANT(std::set<std::string_view>(names.begin(), names.end()).size() ==
                       names.size());
        for (const std::string_view name : names) {
            GATE_INVARIANT(value.find(name).present());
            check_value(value.member(name), depth + 1, limits);
        }
    } else if (value.is(Kind::kArray)) {
        GATE_INVARIANT(depth < limits.depth && value.size() <= limits.elements);
        bool strings = true;
        for (std::size_t i = 0; i < value.size(); ++i) {
            check_value(value.at(i), depth + 1, limits);
            strings = strings && value.at(i).is(Kind::kString);
        }
        GATE_INVARIANT(value.string_list().has_value() == strings);
        GATE_INVARIANT(!value.at(value.size()).present());
    }
    GATE_INVARIANT(value.string().has_value() == value.is(Kind::kString));
    GATE_INVARIANT(value.boolean().has_value() == value.is(Kind::kBool));
    GATE_INVARIANT(value.integer().has_value() == value.is(Kind::kInteger));
    if (const auto number = value.number()) GATE_INVARIANT(std::isfinite(*number));
}

using JsonPtr = std::unique_ptr<json_t, void (*)(json_t*)>;

JsonPtr by_jansson(std::string_view text) {
    constexpr std::size_t kFlags = JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES;
    return {json_loadb(text.data(), text.size(), kFlags, nullptr),
            [](json_t* json) { json_decref(json); }};
}

// Another parser takes the same texts, but for our limits, and reads the same values in them.
void check_against_jansson(std::string_view text, const Result<jose::Document, Reason>& ours) {
    const JsonPtr theirs = by_jansson(text);
    if (!ours && ours.error() == Reason::kJsonLimit) return;
    // Jansson loses a NUL octet behind a number; we refuse it.
    const bool taken = json_is_object(theirs.get());
    if (!ours) {
        GATE_INVARIANT(!taken || text.find('\0') != std::string_view::npos);
        return;
    }
    GATE_INVARIANT(taken);
    GATE_INVARIANT(json_equal(theirs.get(), by_jansson(ours->root().dump()).get()) == 1);
}

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

void check_document(std::string_view text) {
    const jose::JsonLimits limits{.depth = 6, .members = 8, .elements = 12};
    const auto strict = jose::Document::parse(text, limits);
    const auto wide = jose::Document::parse(text);
    check_against_jansson(text, wide);
    if (!strict) {
        // Tighter limits may only add kJsonLimit.
        GATE_INVARIANT(!wide || strict.error() == Reason::kJsonLimit);
        return;
    }
    GATE_INVARIANT(static_cast<bool>(wide));
    check_value(strict->root(), 0, limits);
    GATE_INVARIANT(strict->root().is(Kind::kObject));
    // Nothing but blanks may surround the object.
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    GATE_INVARIANT(text.starts_with('{') && text.ends_with('}'));
    // Its own text means the same document.
    const std::string dumped = strict->root().dump();
    // But for the blanks around its values, which let it have more of them.
    jose::JsonLimits any_number = limits;
    any_number.values = ~0U;
    const auto again = jose::Document::parse(dumped, any_number);
    GATE_INVARIANT(again && again->root().dump() == dumped);
}

// A reader of our own opinion: jansson without our code around it.
bool has_member(std::string_view header, const char* name) {
    const JsonPtr root = by_jansson(header);
    return json_object_get(root.get(), name) != nullptr;
}

void check_header(std::string_view header) {
    const std::string text = base64url_encode(bytes_of(header)) + ".e30.c2ln";
    const auto token = jose::parse_token(text);
    const jose::HeaderHint hint = jose::header_hint(text);
    GATE_INVARIANT(hint.alg.size() <= 16 && hint.kid.size() <= 64);
    if (!token) {
        GATE_INVARIANT(refusal_class(token.error()) == RefusalClass::kInvalidToken);
        return;
    }
    for (const char* name : {"crit", "enc", "zip"}) GATE_INVARIANT(!has_member(header, name));
    const std::string name(crypto::info(token->header.alg).name);
    GATE_INVARIANT(token->header.document.root().member("alg").string() == name);
    GATE_INVARIANT(hint.alg == name || header.size() > 3072);
    if (token->header.kid) {
        GATE_INVARIANT(!token->header.kid->empty() &&
                       token->header.kid->size() <= jose::kMaxKidSize);
    }
    GATE_INVARIANT(token->header.kid.has_value() == has_member(header, "kid"));
    GATE_INVARIANT(token->signing_input == text.substr(0, text.size() - 5));
    GATE_INVARIANT(text_of(token->payload) == "{}" && text_of(token->signature) == "sig");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    gate::fuzz::Input input(data, size);
    const std::string_view how = input.line();
    if (how == "doc") {
        check_document(input.rest());
    } else {
        check_header(input.rest());
    }
    return 0;
}
