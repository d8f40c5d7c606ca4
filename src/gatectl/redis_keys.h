// API keys in Redis.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "gatectl/key_store.h"
#include "gatectl/redis_options.h"
#include "gatectl/redis_session.h"

namespace gate::ctl {

class RedisKeyStore final : public KeyStore {
public:
    // Connects when it is used first.
    explicit RedisKeyStore(RedisOptions options) : options_(std::move(options)) {}

    Result<KeyListing, std::string> list() override;
    Result<KeyListing, std::string> find(std::string_view wanted) override;
    Result<RecordPtr, std::string> find_digest(std::span<const std::string> digests) override;
    Result<Outcome, std::string> change(const Edit& edit) override;

private:
    Status<std::string> connect();
    Result<RecordPtr, std::string> by_id(std::string_view id);

    RedisOptions options_;
    std::unique_ptr<RedisSession> session_;
};

}  // namespace gate::ctl
