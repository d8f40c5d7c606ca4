// Entries of a store's stream: what has changed, for everybody who follows it.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "redis/reply.h"

namespace gate::redis {

// "1700000000000-0": milliseconds and number within.
struct StreamId {
    std::uint64_t time = 0;
    std::uint64_t number = 0;

    static std::optional<StreamId> parse(std::string_view text) noexcept;
    std::string text() const;
    auto operator<=>(const StreamId&) const = default;
};

struct Change {
    enum class Kind : std::uint8_t {
        kRevoked,  // something is revoked from now on
        kKey,      // a key's record was made, changed or removed
        kUser,     // a user was made, changed or removed
        kOther,    // of a later version: nothing to do
    };
    StreamId id;
    Kind kind = Kind::kOther;
    std::string item;                       // kRevoked: as it stands in the sorted set
    std::optional<std::int64_t> forget_at;  // kRevoked: Unix seconds; nullopt: never
    std::string digest;                     // kKey: 64 hexadecimal digits
    std::string key_id;                     // kKey
    std::string name{};                     // kUser
};

// The fields of XADD for a change, name and value in turn: "type" "revoked" "item" .. "forget" ..;
// "type" "key" "digest" .. "id" ..; "type" "user" "name" ..
std::vector<std::string> fields_of(const Change& change);

// One stream's entries from the reply to XREAD or XRANGE (its array of entries). The error is a
// sentence; an entry with an unknown type is kOther, one of ours that lacks a field is an error.
Result<std::vector<Change>, std::string> read_changes(const Reply& entries);

// Members and scores in turn of a page, the reply to ZSCAN, and the cursor of the next one; nullptr
// if the reply is none.
const std::vector<Reply>* items_of_zscan(const Reply& page, std::string& cursor);

// The entries of the one stream in a reply to XREAD: nullptr for nil (nothing came in time), or if
// the reply is no answer for `stream`; `good` says which.
const Reply* entries_of_xread(const Reply& reply, std::string_view stream, bool& good) noexcept;

}  // namespace gate::redis
