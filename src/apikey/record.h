// What is known about a key: never the key itself, only its digest. The JSON form is the same in
// files and in Redis (field by field).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apikey/key_digest.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/result.h"
#include "base/time.h"
#include "jose/json.h"
#include "jose/member_reader.h"

namespace gate::apikey {

enum class KeyStatus : std::uint8_t { kActive, kSuspended, kRevoked };

std::string_view name_of(KeyStatus status) noexcept;

// An IPv4 or IPv6 network; IPv4-mapped IPv6 addresses compare as IPv4. The address is kept as IPv6.
struct Network {
    std::array<std::uint8_t, 16> address{};
    unsigned prefix_length = 0;  // of 128
    // "192.0.2.0/24", "2001:db8::/32", or one address. Address bits behind the prefix must be zero.
    static std::optional<Network> parse(std::string_view text);
    bool contains(Bytes address) const noexcept;  // 4 or 16 octets; any other size is outside
    std::string text() const;                     // always with "/length"
};

struct Record {
    static constexpr int kVersion = 1;

    std::string id;      // random, no part of the key
    std::string digest;  // 64 lower-case hexadecimal digits
    std::string name;    // label for people
    std::string owner;
    std::vector<std::string> scopes;  // wildcards count here: the operator wrote them
    std::vector<std::string> roles;
    std::vector<std::string> groups;
    KeyStatus status = KeyStatus::kActive;
    Seconds created = 0;
    std::optional<Seconds> not_before;
    std::optional<Seconds> expires;
    std::string rate;  // "100r/m"; used by gate_limit
    std::optional<std::int64_t> burst;
    std::vector<Network> networks;  // "cidr"; empty: any address
    // Memo of the revocation check: the set's change count when nothing in it concerned this key.
    mutable std::uint64_t clean_at = 0;
    // Memo of whether its texts may stand in headers and logs.
    mutable std::optional<bool> safe;
    jose::Document labels;  // an object of the operator's own; its members are the key's claims

    // id, digest and status must be there; any member that is not of this record refuses it (an
    // operator's typing error must not widen a key). Instants are RFC 3339 in UTC, or Unix seconds.
    // Errors are sentences: "member \"status\" is \"on\"; expected active, suspended or revoked",
    // and with kHidden "member \"status\" is wrong; expected ..".
    using Values = jose::MemberReader::Values;
    static Result<Record, std::string> from_json(jose::Value object,
                                                 Values in_errors = Values::kShown);
    // One line; members without a value are left out, instants are RFC 3339.
    std::string to_json() const;
};

// May this key be used now, from there? It is good from not_before on until the second before
// expires. kKeySuspended, kKeyRevoked, kKeyNotYet, kKeyExpired, kKeyAddress.
Status<Reason> check_record(const Record& record, Seconds now, Bytes client_address) noexcept;

}  // namespace gate::apikey
