#include "policy/reply_fields.h"

#include <array>

#include "base/json_object.h"
#include "base/json_text.h"
#include "base/text_list.h"

namespace gate::policy {

namespace {

constexpr std::array<std::string_view, 11> kNames{"login",      "refresh", "logout", "me",
                                                  "introspect", "create",  "list",   "get",
                                                  "rotate",     "suspend", "revoke"};

using OutcomeSet = std::uint32_t;

constexpr OutcomeSet set_of(ReplyOutcome outcome) noexcept {
    return OutcomeSet{1} << static_cast<unsigned>(outcome);
}

constexpr OutcomeSet kTokens = set_of(ReplyOutcome::kLogin) | set_of(ReplyOutcome::kRefresh);
constexpr OutcomeSet kMe = set_of(ReplyOutcome::kMe);
constexpr OutcomeSet kIntrospect = set_of(ReplyOutcome::kIntrospect);
constexpr OutcomeSet kUser = kTokens | kMe | kIntrospect;
constexpr OutcomeSet kRotate = set_of(ReplyOutcome::kRotate);
constexpr OutcomeSet kNewKey = set_of(ReplyOutcome::kCreate) | kRotate;
constexpr OutcomeSet kRecord = kNewKey | set_of(ReplyOutcome::kList) | set_of(ReplyOutcome::kGet);
constexpr OutcomeSet kAnyKey =
    kRecord | set_of(ReplyOutcome::kSuspend) | set_of(ReplyOutcome::kRevoke);

struct ReplyField {
    std::string_view name;
    FieldKind kind;
    OutcomeSet outcomes;
};

constexpr ReplyField kFields[] = {
    {"access_token", FieldKind::kText, kTokens},
    {"refresh_token", FieldKind::kText, kTokens},
    {"token_type", FieldKind::kText, kTokens | kIntrospect},
    {"expires_in", FieldKind::kNumber, kTokens},
    {"expires_at", FieldKind::kInstant, kTokens},
    {"refresh_expires_in", FieldKind::kNumber, kTokens},
    {"refresh_expires_at", FieldKind::kInstant, kTokens},
    {"sid", FieldKind::kText, kTokens},

    {"active", FieldKind::kBoolean, kIntrospect},
    {"client_id", FieldKind::kText, kIntrospect},
    {"username", FieldKind::kText, kIntrospect},
    {"exp", FieldKind::kNumber, kIntrospect},
    {"iat", FieldKind::kNumber, kIntrospect},
    {"nbf", FieldKind::kNumber, kIntrospect},
    {"sub", FieldKind::kText, kIntrospect},
    {"aud", FieldKind::kJson, kIntrospect},
    {"iss", FieldKind::kText, kIntrospect},
    {"jti", FieldKind::kText, kIntrospect},

    {"subject", FieldKind::kText, kMe | set_of(ReplyOutcome::kLogout)},
    {"issuer", FieldKind::kText, kMe},
    {"client", FieldKind::kText, kMe},
    {"kind", FieldKind::kText, kMe},
    {"role", FieldKind::kText, kMe},
    {"group", FieldKind::kText, kMe},
    {"issued", FieldKind::kInstant, kMe},
    {"key_id", FieldKind::kText, kMe},
    {"key_name", FieldKind::kText, kMe},
    {"claim.NAME", FieldKind::kJson, kMe},

    {"id", FieldKind::kText, kAnyKey},
    {"name", FieldKind::kText, kAnyKey},
    {"owner", FieldKind::kText, kRecord},
    {"key", FieldKind::kText, kNewKey},
    {"prefix", FieldKind::kText, kRecord},
    {"status", FieldKind::kText, kAnyKey},
    {"created", FieldKind::kInstant, kRecord},
    {"not_before", FieldKind::kInstant, kRecord},
    {"last_used", FieldKind::kInstant, kRecord},
    {"rate", FieldKind::kText, kRecord},
    {"grace_until", FieldKind::kInstant, kRotate},
    {"label.NAME", FieldKind::kJson, kRecord},

    {"scope", FieldKind::kText, kTokens | kIntrospect},
    {"scopes", FieldKind::kList, kTokens | kMe | kRecord},
    {"roles", FieldKind::kList, kMe | kRecord},
    {"groups", FieldKind::kList, kMe | kRecord},
    {"expires", FieldKind::kInstant, kMe | kRecord},

    {"user.name", FieldKind::kText, kUser},
    {"user.email", FieldKind::kText, kUser},
    {"user.roles", FieldKind::kList, kUser},
    {"user.role", FieldKind::kText, kUser},
    {"user.scope", FieldKind::kText, kUser},
    {"user.scopes", FieldKind::kList, kUser},
    {"user.groups", FieldKind::kList, kUser},
    {"user.group", FieldKind::kText, kUser},
    {"user.created", FieldKind::kInstant, kUser},
    {"user.label.NAME", FieldKind::kJson, kUser},
};

constexpr std::string_view kUnix = ".unix";

constexpr std::string_view kTokenReply =
    R"({"access_token":"$access_token","token_type":"Bearer","expires_in":"$expires_in",)"
    R"("refresh_token":"$refresh_token?","scope":"$scope?"})";

constexpr std::string_view kMeReply =
    R"({"sub":"$subject","iss":"$issuer?","client_id":"$client?","kind":"$kind",)"
    R"("name":"$user.name?","email":"$user.email?","scopes":"$scopes","roles":"$roles",)"
    R"("groups":"$groups","key_id":"$key_id?","key_name":"$key_name?","issued_at":"$issued?",)"
    R"("expires_at":"$expires?"})";

constexpr std::string_view kIntrospectReply =
    R"({"active":"$active","scope":"$scope?","client_id":"$client_id?",)"
    R"("username":"$username?","token_type":"$token_type?","exp":"$exp?","iat":"$iat?",)"
    R"("nbf":"$nbf?","sub":"$sub?","aud":"$aud?","iss":"$iss?","jti":"$jti?"})";

constexpr std::string_view kCreateReply =
    R"({"id":"$id","name":"$name","key":"$key","owner":"$owner?","scopes":"$scopes",)"
    R"("roles":"$roles","groups":"$groups","created_at":"$created","expires_at":"$expires"})";

constexpr std::string_view kListReply =
    R"({"keys":[{"id":"$id","name":"$name","owner":"$owner?","prefix":"$prefix?",)"
    R"("status":"$status","created_at":"$created","expires_at":"$expires",)"
    R"("last_used_at":"$last_used"}]})";

constexpr std::string_view kGetReply =
    R"({"id":"$id","name":"$name","owner":"$owner?","prefix":"$prefix?","status":"$status",)"
    R"("scopes":"$scopes","roles":"$roles","groups":"$groups","rate":"$rate?",)"
    R"("created_at":"$created","not_before":"$not_before?","expires_at":"$expires",)"
    R"("last_used_at":"$last_used"})";

constexpr std::string_view kRotateReply =
    R"({"id":"$id","name":"$name","key":"$key","created_at":"$created",)"
    R"("expires_at":"$expires","grace_until":"$grace_until"})";

constexpr std::string_view kStatusReply = R"({"id":"$id","name":"$name","status":"$status"})";

template <class Text>
std::string list_json(std::span<const Text> elements) {
    std::vector<std::string> json;
    json.reserve(elements.size());
    for (const Text& element : elements) json.push_back(json_string(element));
    return json_array(json);
}

template <class Text>
std::string words_json(std::span<const Text> elements) {
    if (elements.empty()) return {};
    return json_string(joined(std::vector<std::string>(elements.begin(), elements.end()), " "));
}

}  // namespace

std::string_view name_of(ReplyOutcome outcome) noexcept {
    return kNames[static_cast<std::size_t>(outcome)];
}

std::optional<ReplyOutcome> find_outcome(std::string_view name) noexcept {
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        if (kNames[i] == name) return static_cast<ReplyOutcome>(i);
    }
    return std::nullopt;
}

std::string outcome_names() {
    return joined(std::vector<std::string>(kNames.begin(), kNames.end()));
}

std::optional<FieldKind> reply_field(ReplyOutcome outcome, std::string_view name) noexcept {
    for (const ReplyField& field : kFields) {
        if ((field.outcomes & set_of(outcome)) == 0) continue;
        if (is_named_by(field.name, name)) return field.kind;
        if (field.kind == FieldKind::kInstant && name.ends_with(kUnix) &&
            instant_name(name) == field.name) {
            return FieldKind::kNumber;
        }
    }
    return std::nullopt;
}

std::vector<std::string> reply_field_names(ReplyOutcome outcome) {
    std::vector<std::string> names;
    for (const ReplyField& field : kFields) {
        if ((field.outcomes & set_of(outcome)) == 0) continue;
        names.emplace_back(field.name);
        if (field.kind == FieldKind::kInstant) names.push_back(names.back() + std::string(kUnix));
    }
    return names;
}

Result<ReplyTemplate, std::string> parse_reply(ReplyOutcome outcome, std::string_view json) {
    const std::vector<std::string> names = reply_field_names(outcome);
    const std::vector<std::string_view> fields(names.begin(), names.end());
    return has_records(outcome) ? ReplyTemplate::parse(json, {}, fields)
                                : ReplyTemplate::parse(json, fields);
}

DefaultReply default_reply(ReplyOutcome outcome) noexcept {
    switch (outcome) {
        case ReplyOutcome::kLogin:
        case ReplyOutcome::kRefresh:
            return {200, kTokenReply};
        case ReplyOutcome::kMe:
            return {200, kMeReply};
        case ReplyOutcome::kIntrospect:
            return {200, kIntrospectReply};
        case ReplyOutcome::kCreate:
            return {201, kCreateReply};
        case ReplyOutcome::kList:
            return {200, kListReply};
        case ReplyOutcome::kGet:
            return {200, kGetReply};
        case ReplyOutcome::kRotate:
            return {200, kRotateReply};
        case ReplyOutcome::kSuspend:
            return {200, kStatusReply};
        case ReplyOutcome::kLogout:
        case ReplyOutcome::kRevoke:
            break;
    }
    return {204, ""};
}

std::string reply_instant(std::string_view field, std::optional<Seconds> when) {
    if (!when) return {};
    return field.ends_with(kUnix) ? std::to_string(*when) : json_string(rfc3339(*when));
}

std::string reply_number(std::optional<std::int64_t> number) {
    return number ? std::to_string(*number) : std::string();
}

std::string reply_boolean(bool value) {
    return value ? "true" : "false";
}

std::string reply_list(std::span<const std::string_view> elements) {
    return list_json(elements);
}

std::string reply_list(std::span<const std::string> elements) {
    return list_json(elements);
}

std::string reply_words(std::span<const std::string_view> elements) {
    return words_json(elements);
}

std::string reply_words(std::span<const std::string> elements) {
    return words_json(elements);
}

std::string reply_json(jose::Value value) {
    return value.present() ? value.dump() : std::string();
}

std::optional<std::string_view> field_below(std::string_view field,
                                            std::string_view table) noexcept {
    if (field.size() < table.size() + 2 || !field.starts_with(table)) return std::nullopt;
    if (field[table.size()] != '.') return std::nullopt;
    return field.substr(table.size() + 1);
}

std::string_view instant_name(std::string_view field) noexcept {
    if (field.ends_with(kUnix)) field.remove_suffix(kUnix.size());
    return field;
}

}  // namespace gate::policy
