// What answers and tokens say of a user.
#pragma once

#include <string>
#include <string_view>

#include "jose/issuer.h"
#include "users/user.h"

namespace gate::policy {

// JSON text of a field that reply_field() knows, "user.name", "user.label.team"; "" where the user
// has none. Lists are never missing.
std::string user_field(const users::User& user, std::string_view field);

// The claims of a user's token where its issuer names none: scope, roles and groups that the user
// has, each under the first name that the issuer looks for.
std::string usual_claims(const users::User& user, const jose::Issuer& issuer);

}  // namespace gate::policy
