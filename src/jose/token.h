// A compact JWS (RFC 7515 section 7.1) taken apart without judging it: three parts of strict
// base64url and a header that parses.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/reason.h"
#include "base/result.h"
#include "jose/header.h"

namespace gate::jose {

struct Token {
    Header header;
    std::string_view signing_input;  // header "." payload, as received: a view of the token's text
    ByteVector payload;              // decoded
    ByteVector signature;
};

// Takes a token apart: kTokMalformed, kTokB64 and the errors of parse_header(); the payload's JSON
// is not looked at. `headers` may remember headers from one token to the next. Linear in the
// token's size.
Result<Token, Reason> parse_token(std::string_view token, HeaderCache* headers = nullptr);

}  // namespace gate::jose
