// The tokens that a login or a refresh hands out, in its answer and in cookies.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cache/journal.h"
#include "jose/issue.h"
#include "nginx/conf.h"
#include "nginx/live.h"
#include "nginx/ngx.h"
#include "users/user.h"

namespace gate::nginx {

struct TokenGrant {
    Seconds now;
    std::string session;  // empty: there is no refresh token
    jose::NewToken access;
    std::optional<jose::NewToken> refresh;
};

// A session that goes on, or nullopt of a new one.
struct Session {
    std::string id;
    Seconds began;  // the login
};

// `latest`: when the session ends at most. nullopt: OpenSSL fails, or the issuer has no key in
// force that signs.
std::optional<TokenGrant> grant_tokens(const LiveIssuer& live, const users::User& user, Seconds now,
                                       const std::optional<Session>& session, Seconds latest);

// What revokes a token of `live` with these claims: by "jti" or, without one, by its signing input.
cache::JournalEntry token_revocation(const LiveIssuer& live, std::string_view token,
                                     jose::Value claims, Seconds now);
// What ends its session; nullopt where it has none, or the issuer makes its tokens elsewhere.
std::optional<cache::JournalEntry> session_revocation(const LiveIssuer& live, jose::Value claims,
                                                      Seconds now);

// What gate_reply asks for.
std::string grant_field(const TokenGrant& grant, const users::User& user, std::string_view field);

// The location's gate_cookie lines. False: a token is too long for a cookie; it is logged.
bool set_token_cookies(ngx_http_request_t* r, const LocConf& location, const TokenGrant& grant);
// Removes them from the client. Throws bad_alloc.
void clear_token_cookies(ngx_http_request_t* r, const LocConf& location);

}  // namespace gate::nginx
