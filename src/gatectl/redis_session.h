// The server that has a store now, wherever that is: one server, the master that sentinels name, or
// the node of a cluster that serves the store's slot.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "gatectl/redis_connection.h"
#include "gatectl/redis_options.h"
#include "gatectl/store_change.h"
#include "redis/cluster.h"

namespace gate::ctl {

class RedisSession {
public:
    enum class Need : std::uint8_t {
        kMaster,  // changes, and what is in force
        kAny,     // for a look at a server whatever it is
    };
    // Connects. Errors are sentences.
    static Result<std::unique_ptr<RedisSession>, std::string> open(RedisOptions options,
                                                                   Need need = Need::kMaster);

    const redis::StoreKeys& keys() const noexcept { return options_.keys; }
    const RedisOptions& options() const noexcept { return options_; }
    // Of the connection that serves now.
    const redis::Endpoint& endpoint() const noexcept { return owner_->endpoint(); }
    redis::Role role() const noexcept { return owner_->role(); }
    Deadline deadline() const noexcept { return Deadline(options_.timeout); }

    // Commands that change nothing, of at most one key each. Finds whoever has the keys, also while
    // they move to another node. Error replies of another kind are among the replies.
    Result<std::vector<redis::Reply>, std::string> read(const Commands& commands);

    // A part of a transaction: all commands go to one connection, the same until the transaction
    // ends, as `serial` tells. Where the keys are elsewhere the refusal says "again", and the next
    // transaction goes there. kMulti: the commands are all from MULTI to EXEC.
    // `patience`: milliseconds that the server may take more than others.
    enum class Form : std::uint8_t { kSingles, kMulti };
    Result<std::vector<redis::Reply>, Refusal> ask(const Commands& commands, Form form,
                                                   int patience = 0);
    // Asks the owner of the slot again, and not where the keys are going; whether it was to be
    // there.
    bool forget_target() noexcept;
    // Changes whenever a connection is given up: what was watched there is not watched any more.
    std::uint64_t serial() const noexcept { return serial_; }

private:
    RedisSession(RedisOptions options, Need need) : options_(std::move(options)), need_(need) {}

    using Opened = Result<std::unique_ptr<RedisConnection>, Refusal>;
    Opened open_server(const redis::Endpoint& endpoint, const Deadline& deadline) const;
    Opened find_by_sentinels(const Deadline& deadline) const;
    Opened ask_sentinel(const redis::Endpoint& sentinel, const Deadline& deadline) const;
    Opened find_in_cluster(const Deadline& deadline) const;
    Opened ask_node(const redis::Endpoint& node, const Deadline& deadline) const;
    Opened find(const Deadline& deadline) const;
    Status<std::string> locate();
    void leave() noexcept;
    // Whether a reply says that the keys are elsewhere, or that we should come again.
    std::optional<Refusal> redirected(const redis::Reply& reply, const redis::Endpoint& asked);
    Result<redis::Reply, std::string> ask_elsewhere(const redis::Redirect& redirect,
                                                    const std::string& command);
    Status<std::string> follow_asks(const Commands& commands, std::vector<redis::Reply>& replies);

    RedisOptions options_;
    Need need_;
    std::unique_ptr<TlsClient> tls_;
    std::unique_ptr<RedisConnection> owner_;
    // To where the store moves, while the next transaction is to be asked there.
    std::unique_ptr<RedisConnection> target_;
    std::optional<redis::Endpoint> hint_;  // who has the slot, as MOVED said
    std::uint64_t serial_ = 0;
};

// Sleeps that long.
void pause_for(int milliseconds);

// "GET: WRONGTYPE Operation against ..": an error reply as people may read it.
std::string reply_problem(const redis::Reply& reply);

}  // namespace gate::ctl
