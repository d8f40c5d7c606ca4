// Why a credential is accepted or refused, check by check. The verdict is the engine's own; the
// checks are then told apart by the engine's parts, in its order. No value of a claim appears.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apikey/key_table.h"
#include "base/reason.h"
#include "base/time.h"
#include "policy/engine.h"

namespace gate::ctl {

enum class CheckOutcome : std::uint8_t { kOk, kFailed, kNotReached, kNotJudged };

// "ok", "failed", "not reached", "not judged".
std::string_view name_of(CheckOutcome outcome) noexcept;

struct Check {
    std::string name;
    CheckOutcome outcome = CheckOutcome::kNotReached;
    std::string detail;  // for people
};

// A claim without its value.
struct ClaimShape {
    std::string name;
    std::string type;        // "string", "integer", "number", "boolean", "null", "array", "object"
    std::size_t length = 0;  // octets of a string, elements of an array, members of an object
};

struct Explanation {
    std::vector<Check> checks;
    std::vector<ClaimShape> claims;  // where the payload could be read
    Reason reason = Reason::kNone;   // kNone: accepted
};

Explanation explain_token(std::string_view token, const policy::TrustedIssuer& issuer, Seconds now);

// `address` nullopt: networks are not judged.
Explanation explain_key(std::string_view key, const policy::KeyStore& store,
                        const apikey::KeyTable& table, std::optional<Bytes> address, Seconds now);

}  // namespace gate::ctl
