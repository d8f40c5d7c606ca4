// The records of one key file, found by digest. Immutable once parsed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apikey/record.h"
#include "base/result.h"
#include "crypto/digest.h"

namespace gate::apikey {

class KeyTable {
public:
    KeyTable() : KeyTable(0) {}

    // {"version":1,"keys":[record, ..]}. One broken record, two equal digests or ids refuse the
    // file: an operator's typing error must not silently lock out, or let in, one key. Errors name
    // the record.
    static Result<KeyTable, std::string> parse(std::string_view json);

    // The record of that digest, or nullptr. The digest is compared again in constant time.
    std::shared_ptr<const Record> find(const crypto::Digest256& digest) const noexcept;

    // In the file's order.
    const std::vector<std::shared_ptr<const Record>>& records() const noexcept { return records_; }

    // The file's text; ends with a newline.
    static std::string to_json(const std::vector<std::shared_ptr<const Record>>& records);

private:
    explicit KeyTable(std::size_t capacity);
    std::size_t place_of(const crypto::Digest256& digest) const noexcept;
    std::optional<std::size_t> index_of(const crypto::Digest256& digest) const noexcept;
    void add(const crypto::Digest256& digest, Record record);

    std::vector<std::shared_ptr<const Record>> records_;
    std::vector<crypto::Digest256> digests_;  // of records_, same order
    // Indexes of digests_, plus one, each at the place that its digest's first octets choose or the
    // next free one behind it. 0: free, as at least half of a power of two are.
    std::vector<std::uint32_t> places_;
};

}  // namespace gate::apikey
