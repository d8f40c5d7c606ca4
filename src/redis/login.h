// The first exchange on a connection: who we are, which database, and whether the server is one to
// trust (https://redis.io/commands/auth, select, role).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "redis/reply.h"

namespace gate::redis {

struct Login {
    std::string user;                        // empty: the default user
    std::shared_ptr<const Secret> password;  // nullptr: none
    unsigned db = 0;
    std::string client_name;  // for CLIENT SETNAME; empty: none
};

// What a server is in its replication.
enum class Role : std::uint8_t { kMaster, kReplica, kSentinel };

// What a reply to ROLE says; nullopt: it is none.
std::optional<Role> read_role(const Reply& reply) noexcept;

// Appends the commands, ROLE as the last; how many they are. The octets hold the password: wipe
// them once they are sent.
std::size_t append_login(std::string& out, const Login& login);

struct LoginProblem {
    ErrorKind kind = ErrorKind::kOther;
    std::string text;  // for people, without secrets: "AUTH: WRONGPASS invalid username-password.."
};

// What the replies to append_login() say. A server that does not know CLIENT SETNAME is good; one
// on which the user may not ask ROLE is not.
Result<Role, LoginProblem> read_login(const Login& login, const std::vector<Reply>& replies);

}  // namespace gate::redis
