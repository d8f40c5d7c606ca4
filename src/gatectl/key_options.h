// What `gatectl key` options say about a key, checked by the rules of key files.
#pragma once

#include <string>

#include "apikey/key_digest.h"
#include "apikey/record.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "gatectl/command.h"
#include "jose/json.h"

namespace gate::ctl {

// "90d" from now, or an RFC 3339 instant.
Result<Seconds, std::string> parse_instant(std::string_view text, Seconds now);

// A record without id and digest from --name --owner --scope --role --group --expires --not-before
// --cidr --rate --burst --label --label-json. Errors are sentences.
Result<apikey::Record, std::string> record_from_options(const Arguments& arguments, Seconds now);

// --label and --label-json as one object; absent where none is given. Errors are sentences.
Result<jose::Document, std::string> labels_from_options(const Arguments& arguments);

// The text of a pepper file; at least 32 octets, one trailing newline is not part of it.
Result<Secret, std::string> read_pepper(const std::string& path);

// A new key: its text, shown once, and what the record keeps of it.
struct NewKey {
    Secret text;
    std::string digest;
};
// With --prefix and --pepper-file.
Result<NewKey, std::string> make_key(const Arguments& arguments);

}  // namespace gate::ctl
