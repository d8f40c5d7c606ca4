// A connection to one server on which we are logged in: commands go out, and all their replies come
// back, or none.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gatectl/redis_wire.h"
#include "gatectl/store_change.h"
#include "redis/login.h"
#include "redis/pipeline.h"

namespace gate::ctl {

// As append_command() writes them, one an element.
using Commands = std::vector<std::string>;
std::string command(std::initializer_list<std::string_view> arguments);
std::string command(const std::vector<std::string>& arguments);

class RedisConnection {
public:
    // Errors are sentences that name the server; "again" where it may be of another mind soon.
    static Result<std::unique_ptr<RedisConnection>, Refusal> open(const redis::Endpoint& endpoint,
                                                                  const redis::Login& login,
                                                                  const TlsClient* tls,
                                                                  const Deadline& deadline);

    const redis::Endpoint& endpoint() const noexcept { return endpoint_; }
    redis::Role role() const noexcept { return role_; }

    // A reply to each command. After an error the connection is of no use any more.
    Result<std::vector<redis::Reply>, std::string> exchange(const Commands& commands,
                                                            const Deadline& deadline);

private:
    RedisConnection(redis::Endpoint endpoint, RedisWire wire);
    Result<std::vector<redis::Reply>, std::string> talk(std::string_view commands,
                                                        std::size_t count,
                                                        const Deadline& deadline);
    Status<Refusal> log_in(const redis::Login& login, const Deadline& deadline);
    Status<std::string> move_octets(const Deadline& deadline);

    redis::Endpoint endpoint_;
    RedisWire wire_;
    redis::Pipeline pipeline_;
    redis::Role role_ = redis::Role::kReplica;
};

}  // namespace gate::ctl
