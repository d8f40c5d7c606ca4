#include "policy/user_claims.h"

#include "base/json_object.h"
#include "base/json_text.h"
#include "policy/reply_fields.h"

namespace gate::policy {

namespace {

constexpr std::string_view kTable = "user";

std::string text_or_none(std::string_view text) {
    return text.empty() ? std::string() : json_string(text);
}

std::string first_of(const std::vector<std::string>& elements) {
    return elements.empty() ? std::string() : json_string(elements.front());
}

}  // namespace

std::string user_field(const users::User& user, std::string_view field) {
    const std::string_view name = field_below(field, kTable).value_or("");
    if (name == "name") return json_string(user.name);
    if (name == "email") return text_or_none(user.email);
    if (name == "role") return first_of(user.roles);
    if (name == "roles") return reply_list(user.roles);
    if (name == "scope") return reply_words(user.scopes);
    if (name == "scopes") return reply_list(user.scopes);
    if (name == "group") return first_of(user.groups);
    if (name == "groups") return reply_list(user.groups);
    if (instant_name(name) == "created") {
        return user.created == 0 ? std::string() : reply_instant(name, user.created);
    }
    if (const auto label = field_below(name, "label")) {
        return reply_json(user.labels.root().find(*label));
    }
    return {};
}

std::string usual_claims(const users::User& user, const jose::Issuer& issuer) {
    JsonObject claims;
    if (!user.scopes.empty()) claims.raw(issuer.scope_claim.front(), reply_words(user.scopes));
    if (!user.roles.empty()) claims.texts(issuer.role_claim.front(), user.roles);
    if (!user.groups.empty()) claims.texts(issuer.group_claim.front(), user.groups);
    return claims.str();
}

}  // namespace gate::policy
