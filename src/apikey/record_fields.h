// A record as the fields of a Redis hash: texts as they are, lists and labels as JSON, instants as
// RFC 3339 or Unix seconds, "v" the version. The names are those of the JSON form.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "apikey/record.h"
#include "base/result.h"
#include "jose/hash_fields.h"

namespace gate::apikey {

using Field = jose::Field;

// Stricter than the JSON form: "v" and "digest" must be there. Errors are sentences without the
// values of fields, which may be anything.
Result<Record, std::string> record_of_fields(std::span<const Field> fields);

// Name and value in turn, as HSET takes them; fields without a value are left out.
std::vector<std::string> fields_of_record(const Record& record);

}  // namespace gate::apikey
