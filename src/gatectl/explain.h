// Why a credential is accepted or refused, check by check. The verdict is the engine's own; the
// checks are then told apart by the engine's parts, in its order. No value of a claim appears.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apikey/record.h"
#include "base/reason.h"
#include "base/time.h"
#include "crypto/digest.h"
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

// Where explain_key() looks for a record.
struct KeySource {
    // The record of that digest; nullptr: there is none.
    std::function<std::shared_ptr<const apikey::Record>(const crypto::Digest256& digest)> find;
    std::string name;  // "12 records", for people
};

// `address` nullopt: networks are not judged.
Explanation explain_key(std::string_view key, const policy::KeyStore& store,
                        const KeySource& source, std::optional<Bytes> address, Seconds now);

}  // namespace gate::ctl
