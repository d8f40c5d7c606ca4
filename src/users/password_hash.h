// Hashes of passwords: crypt(3) as libxcrypt has it, and what Apache's htpasswd and LDAP servers
// write. All functions may be called by several threads at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gate::users {

// Octets. crypt(3) takes no more (CRYPT_MAX_PASSPHRASE_SIZE counts the NUL behind them), and bcrypt
// would read the first 72 only.
inline constexpr std::size_t kMaxPassword = 511;
inline constexpr std::size_t kMaxBcryptPassword = 72;

// Whether `password` is the one that `hash` is of. Takes as long as the hash is meant to take (tens
// of milliseconds, and for yescrypt as many megabytes): for a thread pool, not for an event loop. A
// password that cannot match costs the same time as a wrong one: one that is empty, longer than
// kMaxPassword, longer than kMaxBcryptPassword with bcrypt, or has a NUL in it. A hash that is not
// usable_hash() matches nothing, at once. Throws bad_alloc.
bool verify(std::string_view hash, std::string_view password);

// Whether verify() can say yes: yescrypt $y$, gost-yescrypt $gy$, scrypt $7$, bcrypt $2a$ $2b$
// $2y$, sha512-crypt $6$, sha256-crypt $5$, $apr1$, {SHA}, {SSHA}, complete and of bearable cost.
// For anything else the error says what it is and the remedy, to follow "the hash": "is a
// traditional DES hash, ..; set a new password with \"gatectl user passwd\"". It never holds any
// part of `text`.
Status<std::string> usable_hash(std::string_view text);

// Whether guessing is quick where the hash is known: $apr1$, {SHA}, {SSHA}.
bool is_weak(std::string_view hash) noexcept;

// How a usable hash begins, for people: "$apr1$", "{SSHA}", "$y$".
std::string_view scheme_of(std::string_view hash) noexcept;

enum class HashMethod : std::uint8_t { kYescrypt, kBcrypt, kSha512 };

// By "yescrypt", "bcrypt", "sha512".
std::optional<HashMethod> find_hash_method(std::string_view name) noexcept;

// Whether a method takes that cost. 0 is the default; yescrypt 1 to 9 (5), bcrypt 10 to 16 (12),
// sha512 5000 to 5000000 rounds (200000). The error is a sentence.
Status<std::string> check_cost(HashMethod method, unsigned cost);

// A new hash with salt of its own. Errors are sentences without the password: one that
// verify() would never accept, a cost out of range, no entropy. Throws bad_alloc.
Result<std::string, std::string> make_hash(std::string_view password,
                                           HashMethod method = HashMethod::kYescrypt,
                                           unsigned cost = 0);

}  // namespace gate::users
