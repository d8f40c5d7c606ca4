// What the endpoints answer: the outcomes of gate_reply, the fields that each of them knows, and
// the answers where nobody wrote a gate_reply.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "jose/json.h"
#include "policy/reply_template.h"

namespace gate::policy {

enum class ReplyOutcome : std::uint8_t {
    kLogin,
    kRefresh,
    kLogout,
    kMe,
    kIntrospect,
    kCreate,
    kList,
    kGet,
    kRotate,
    kSuspend,  // and of a key that is resumed: $status tells
    kRevoke
};

// "login", "refresh", ..
std::string_view name_of(ReplyOutcome outcome) noexcept;
std::optional<ReplyOutcome> find_outcome(std::string_view name) noexcept;
// "login, refresh, ..", for messages.
std::string outcome_names();

// What a field's JSON text is.
enum class FieldKind : std::uint8_t {
    kText,
    kNumber,
    kBoolean,
    kList,     // of texts
    kInstant,  // RFC 3339 in UTC as text; "name.unix" is a number
    kJson      // whatever the operator or the issuer wrote
};

// The kind of a field that the outcome knows: of `kList` inside a record. "label.team" is found by
// the table's "label.NAME", "expires.unix" as a number by its "expires".
std::optional<FieldKind> reply_field(ReplyOutcome outcome, std::string_view name) noexcept;

// As ReplyTemplate::parse() wants them.
std::vector<std::string> reply_field_names(ReplyOutcome outcome);
// Whether these are fields of records: the outcome has a list of them.
constexpr bool has_records(ReplyOutcome outcome) noexcept {
    return outcome == ReplyOutcome::kList;
}

// A body for the outcome, checked against its fields.
Result<ReplyTemplate, std::string> parse_reply(ReplyOutcome outcome, std::string_view json);

// The answer where the configuration has none: its status, and a body for parse_reply(), or "" for
// an answer without body.
struct DefaultReply {
    int status;
    std::string_view json;
};
DefaultReply default_reply(ReplyOutcome outcome) noexcept;

// JSON text of a field's value; "" for no value. json_string() is the one of a text.
std::string reply_instant(std::string_view field, std::optional<Seconds> when);
std::string reply_number(std::optional<std::int64_t> number);
std::string reply_boolean(bool value);
std::string reply_list(std::span<const std::string_view> elements);
std::string reply_list(std::span<const std::string> elements);
// The elements with blanks between them; "" for none.
std::string reply_words(std::span<const std::string_view> elements);
std::string reply_words(std::span<const std::string> elements);
std::string reply_json(jose::Value value);

// NAME of "label.NAME", with `table` "label"; nullopt for any other field.
std::optional<std::string_view> field_below(std::string_view field,
                                            std::string_view table) noexcept;
// "expires" of "expires" and "expires.unix".
std::string_view instant_name(std::string_view field) noexcept;

}  // namespace gate::policy
