// A gate_redis block as a worker uses it: whoever has a question gets the answer of the right
// server, or hears within the time-out that there is none.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/reason.h"
#include "nginx/alarm.h"
#include "nginx/redis_conf.h"
#include "nginx/redis_counting.h"
#include "nginx/redis_eviction.h"
#include "nginx/redis_node.h"
#include "nginx/redis_topology.h"
#include "redis/pipeline.h"

namespace gate::nginx {

class RedisClient : private RedisNode::Owner, private RedisTopology::User {
public:
    RedisClient(const RedisConf& conf, cache::Zone* zone);
    RedisClient(const RedisClient&) = delete;
    RedisClient& operator=(const RedisClient&) = delete;
    ~RedisClient();

    const RedisConf& conf() const noexcept { return conf_; }

    // Connects, so that the first question need not wait for that.
    void start();

    // Asks by commands, each written by redis::append_command(), that all concern `key`. One of the
    // caller's functions is called later, within conf().timeout; it may ask and forget others. Or
    // at once why not: kClosed, kOverflow.
    std::optional<redis::LinkFailure> ask(redis::Caller& caller, std::string_view key,
                                          std::vector<std::string> commands);
    // The caller hears nothing any more.
    void forget(const redis::Caller& caller) noexcept;

    // Tells all workers what this one knows of the server, and looks at what they tell. Every
    // second at least.
    void tell();
    // What all workers know of it.
    const cache::RedisState& state() const noexcept { return counting_.state(); }
    // Whether there is a connection to the server that has the store.
    bool ready() const;
    // Why something failed last, for people; empty where nothing has.
    std::string problem() const;
    // What somebody else heard of the store's epoch; empty: there is none.
    void heard_epoch(std::string_view epoch) noexcept { counting_.epoch(epoch); }

    // Whether this is the store's epoch, as it was when the connection was made; empty: there is
    // none. When it is not, what the store says does not count.
    bool is_epoch(std::string_view epoch);
    // What came from the server that has `key` cannot be right: it is left, and connected anew.
    void distrust(std::string_view key, const std::string& why);

    // The server that has `key` now; nullptr: not known.
    const RedisServer* server_for(std::string_view key) const { return topology_->server_for(key); }
    // The server that was named for a key does not serve it any more.
    void doubt() { topology_->doubt(); }

    // Questions that wait for an answer.
    std::size_t waiting() const noexcept { return questions_.size(); }

private:
    struct Question;
    using Questions = std::list<std::unique_ptr<Question>>;

    bool accepts(RedisNode& node, redis::Role role, std::string& why) override;
    void node_up(RedisNode& node) override;
    void node_down(RedisNode& node, bool was_up) override;
    void servers_changed() override;

    RedisNode* node_at(const RedisServer& server);
    // Of the server that has the store; nullptr: not known, or never asked.
    RedisNode* store_node() const;
    RedisNode* node_for(std::string_view key);
    // Sends the commands of the question that have no answer yet, behind ASKING where `asking`.
    bool send(Question& question, RedisNode& node, bool asking);
    // Takes what was answered to the question's open commands; true: it is complete.
    bool take_replies(Question& question, std::vector<redis::Reply> replies);
    bool redirect(Question& question);
    void judge(const Question& question);
    std::optional<redis::LinkFailure> refuse(redis::LinkFailure failure);
    // Takes the question out, before its caller is called.
    std::unique_ptr<Question> take(Question& question) noexcept;
    void expire();

    const RedisConf& conf_;
    RedisCounting counting_;
    std::unique_ptr<RedisTopology> topology_;
    std::vector<std::unique_ptr<EvictionCheck>> evictions_;  // of nodes_, in the same order
    std::vector<std::unique_ptr<RedisNode>> nodes_;          // one of each server so far
    Questions questions_;                                    // by the time they were asked
    Alarm deadline_;                                         // of the first
    std::string epoch_;                                      // empty: not asked yet
    bool epoch_reported_ = false;
};

// What a request is refused for that could not do without the answer.
constexpr Reason reason_of(redis::LinkFailure failure) noexcept {
    return failure == redis::LinkFailure::kTimeout ? Reason::kStoreTimeout
                                                   : Reason::kStoreUnavailable;
}

// For init_process and exit_process: a client for each gate_redis block.
struct MainConf;
void start_redis(const MainConf& main);
void stop_redis() noexcept;
// nullptr in processes that serve no requests.
RedisClient* redis_client(const RedisConf& conf) noexcept;

}  // namespace gate::nginx
