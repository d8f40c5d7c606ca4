// Users in Redis.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "gatectl/redis_options.h"
#include "gatectl/redis_session.h"
#include "gatectl/user_store.h"
#include "redis/reply.h"

namespace gate::ctl {

// The user in a reply to HGETALL: nullptr for a name that is not there. It must be the user of that
// name. Errors are sentences without the values of fields.
Result<UserPtr, std::string> user_in(const redis::Reply& reply, std::string_view name);

class RedisUserStore final : public UserStore {
public:
    // Connects when it is used first.
    explicit RedisUserStore(RedisOptions options) : options_(std::move(options)) {}

    Result<UserListing, std::string> list() override;
    Result<UserPtr, std::string> find(std::string_view name) override;
    Result<Outcome, std::string> change(const Edit& edit) override;
    std::size_t at_once() const noexcept override { return 100; }

private:
    Status<std::string> connect();
    Status<std::string> add_page(const std::vector<std::string>& names, UserListing& listing);

    RedisOptions options_;
    std::unique_ptr<RedisSession> session_;
};

}  // namespace gate::ctl
