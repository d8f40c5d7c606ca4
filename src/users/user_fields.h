// A user as the fields of a Redis hash: texts as they are, lists and labels as JSON, "created" as
// RFC 3339 or Unix seconds, "v" the version. The names are those of the JSON form.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "jose/hash_fields.h"
#include "users/user.h"

namespace gate::users {

using Field = jose::Field;

// Stricter than the JSON form: "v" must be there. Errors are sentences without the values of
// fields, which may be anything.
Result<User, std::string> user_of_fields(std::span<const Field> fields);

// Name and value in turn, as HSET takes them; fields without a value are left out.
std::vector<std::string> fields_of_user(const User& user);

}  // namespace gate::users
