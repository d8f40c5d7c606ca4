// JOSE headers (RFC 7515 section 4): strict base64url, strict JSON, parameters of the right type,
// no extension we do not understand.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/reason.h"
#include "base/result.h"
#include "crypto/alg.h"
#include "jose/json.h"

namespace gate::jose {

inline constexpr std::size_t kMaxKidSize = 256;

// Views point into `document`.
struct Header {
    crypto::Alg alg;
    std::optional<std::string_view> kid;
    std::optional<std::string_view> typ;
    Document document;
};

// The header in a token's first part. Errors: kTokB64, kJson*, kAlgNone, kAlgUnknown, kKidType,
// kKidUnknown (longer than kMaxKidSize), kTypBad (not a string), kTokMalformed (enc, zip),
// kCritUnsupported, kB64Unsupported.
Result<Header, Reason> parse_header(std::string_view encoded);

// Headers that parsed well, found again by their whole encoded text: all tokens of one key carry
// the same. A stranger can make it forget, but not misjudge. Not thread-safe.
class HeaderCache {
public:
    static constexpr std::size_t kMaxEncodedSize = 512;

    // parse_header(), or what it said of the same text before.
    Result<Header, Reason> get(std::string_view encoded);

private:
    struct Slot {
        std::string encoded;
        std::optional<Header> header;
    };
    std::array<Slot, 16> slots_;
};

// The first characters of "alg" and "kid" of a token whatever else is wrong with it, for the log
// line of a refusal; empty where they cannot be read. Never more than 16 and 64 octets.
struct HeaderHint {
    std::string alg;
    std::string kid;
};
HeaderHint header_hint(std::string_view token);

}  // namespace gate::jose
