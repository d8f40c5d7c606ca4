// The hashes that are no crypt(3): $apr1$ of Apache's htpasswd (md5crypt under another name), {SHA}
// and {SSHA} of LDAP servers (RFC 2307 section 5.3; base64 of SHA-1, for {SSHA} with the salt
// behind it).
#pragma once

#include <string_view>

namespace gate::users {

// Whether `text` is one of them, complete.
bool is_htpasswd_hash(std::string_view text);

// Whether `password`, which may hold any octets, is the one that such a hash is of; compares in
// constant time. Throws bad_alloc.
bool matches_htpasswd_hash(std::string_view hash, std::string_view password);

}  // namespace gate::users
