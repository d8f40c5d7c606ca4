// The records of one key file, found by digest. Immutable once parsed.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "apikey/record.h"
#include "base/result.h"
#include "crypto/digest.h"

namespace gate::apikey {

class KeyTable {
public:
    // {"version":1,"keys":[record, ..]}. One broken record, two equal digests or ids refuse the file:
    // an operator's typing error must not silently lock out, or let in, one key. Errors name the record.
    static Result<KeyTable, std::string> parse(std::string_view json);

    // The record of that digest, or nullptr. The digest is compared again in constant time.
    const Record* find(const crypto::Digest256& digest) const noexcept;

    // In the file's order.
    const std::vector<std::shared_ptr<const Record>>& records() const noexcept { return records_; }
    std::shared_ptr<const Record> share(const Record* record) const;

    // The file's text; ends with a newline.
    static std::string to_json(const std::vector<std::shared_ptr<const Record>>& records);

private:
    std::vector<std::shared_ptr<const Record>> records_;
    std::unordered_map<std::string, std::size_t> by_digest_;
};

}  // namespace gate::apikey
