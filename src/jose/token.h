// A compact JWS (RFC 7515 section 7.1) taken apart without judging it: three parts, strict
// base64url, strict JSON, header parameters of the right type, no extension we do not understand.
#pragma once

#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/reason.h"
#include "base/result.h"
#include "crypto/alg.h"
#include "jose/json.h"

namespace gate::jose {

inline constexpr std::size_t kMaxKidSize = 256;

// Views point into the token text and into `header`.
struct Token {
    crypto::Alg alg;
    std::optional<std::string_view> kid;
    std::optional<std::string_view> typ;
    std::string_view signing_input;  // header "." payload, as received
    Document header;
    ByteVector payload;  // decoded
    ByteVector signature;
};

// Parses all but the payload's JSON. Errors: kTokMalformed, kTokB64, kJson*, kAlgNone, kAlgUnknown,
// kKidType, kKidUnknown (longer than kMaxKidSize), kTypBad (not a string), kCritUnsupported,
// kB64Unsupported. Linear in the token's size.
Result<Token, Reason> parse_token(std::string_view token);

// The first characters of "alg" and "kid" of a token whatever else is wrong with it, for the log
// line of a refusal; empty where they cannot be read. Never more than 16 and 64 octets.
struct HeaderHint {
    std::string alg;
    std::string kid;
};
HeaderHint header_hint(std::string_view token);

}  // namespace gate::jose
