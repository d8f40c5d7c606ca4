// Revocations in Redis: a sorted set of items with the second from which each may be forgotten, and
// the stream that tells of them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gatectl/redis_options.h"
#include "gatectl/redis_session.h"
#include "gatectl/revocation_store.h"

namespace gate::ctl {

// A member of the set with its score; the error is a sentence.
Result<cache::JournalEntry, std::string> entry_of_item(std::string_view item,
                                                       std::string_view score);

class RedisRevocations final : public RevocationStore {
public:
    // Connects when it is used first.
    explicit RedisRevocations(RedisOptions options) : options_(std::move(options)) {}

    bool tells_written() const noexcept override { return false; }
    std::string_view noun() const noexcept override { return "item"; }
    std::string size_problem(const cache::JournalEntry& entry) const override;
    Result<Outcome, std::string> add(const cache::JournalEntry& entry) override;
    Result<std::vector<Damage>, std::string> read(const Visit& visit) override;
    Result<std::vector<Damage>, std::string> check(const Visit& visit) override {
        return read(visit);
    }
    std::string_view consequence() const noexcept override {
        return "nginx leaves out what it cannot read, and says so";
    }
    Result<Compacted, std::string> compact(Seconds now) override;

private:
    Status<std::string> connect();

    RedisOptions options_;
    std::unique_ptr<RedisSession> session_;
};

}  // namespace gate::ctl
