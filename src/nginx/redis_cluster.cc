// The nodes of a Redis Cluster and the slots that they serve.
#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "nginx/alarm.h"
#include "nginx/redis_node.h"
#include "nginx/redis_topology.h"
#include "redis/command.h"

namespace gate::nginx {

namespace {

using redis::Endpoint;
using redis::LinkFailure;
using redis::Reply;

// Between two looks where something speaks against what is known.
constexpr ngx_msec_t kSoon = 50;
constexpr std::size_t kMaxAsked = 64;

class ClusterTopology final : public RedisTopology,
                              private RedisNode::Owner,
                              private redis::Caller {
public:
    ClusterTopology(const RedisConf& conf, User& user)
        : conf_(conf),
          user_(user),
          alarm_(call_member<ClusterTopology, &ClusterTopology::ring>, this) {
        for (const RedisServer& server : conf.servers) add_node(server);
    }

    const RedisServer* server_for(std::string_view key) const override {
        const Endpoint* const owner = slots_.owner(redis::slot_of(key));
        if (owner == nullptr) return nullptr;
        const auto server = servers_.find(*owner);
        return server != servers_.end() ? &server->second : nullptr;
    }
    void start() override { ask(); }
    void doubt() override {
        if (!waiting_) alarm_.hasten(kSoon);
    }
    void moved(const redis::Redirect& redirect) override {
        slots_.move(redirect.slot, redirect.to);
        know(redirect.to);
        doubt();
    }
    bool follows() const override { return false; }

private:
    bool accepts(RedisNode& /*node*/, redis::Role role, std::string& why) override {
        if (role != redis::Role::kSentinel) return true;
        why = "it is a sentinel; write \"sentinel master=NAME HOST:PORT;\"";
        return false;
    }
    void node_up(RedisNode& /*node*/) override {}
    void node_down(RedisNode& /*node*/, bool /*was_up*/) override {}

    void add_node(const RedisServer& server) {
        RedisNode::Owner& owner = *this;
        nodes_.push_back(std::make_unique<RedisNode>(conf_, owner, server));
    }
    void know(const Endpoint& endpoint) {
        servers_.try_emplace(endpoint, named_server(conf_, endpoint));
    }
    void ring();
    void ask();
    void next();
    void answered(std::vector<Reply> replies) override;
    void failed(LinkFailure /*failure*/) override { next(); }

    const RedisConf& conf_;
    User& user_;
    std::vector<std::unique_ptr<RedisNode>> nodes_;  // whom to ask: those that are written
    std::size_t at_ = 0;
    std::size_t failed_ = 0;  // in a row
    bool waiting_ = false;
    Alarm alarm_;
    redis::SlotMap slots_;
    std::map<Endpoint, RedisServer> servers_;
};

void ClusterTopology::ring() {
    if (ngx_exiting) return;
    waiting_ ? next() : ask();
}

void ClusterTopology::ask() {
    std::string question;
    redis::append_command(question, {"CLUSTER", "SLOTS"});
    waiting_ = nodes_[at_]->send(*this, question, 1);
    if (waiting_) {
        alarm_.set(conf_.timeout);
        return;
    }
    next();
}

void ClusterTopology::next() {
    waiting_ = false;
    nodes_[at_]->forget(*this);
    at_ = (at_ + 1) % nodes_.size();
    failed_ = (failed_ + 1) % nodes_.size();
    alarm_.set(failed_ == 0 ? conf_.backoff : 1);
}

void ClusterTopology::answered(std::vector<Reply> replies) {
    waiting_ = false;
    if (!slots_.assign(replies.front(), nodes_[at_]->endpoint())) return next();
    failed_ = 0;
    alarm_.set(conf_.keepalive);
    for (const Endpoint& owner : slots_.owners()) {
        know(owner);
        const bool asked = std::ranges::any_of(
            nodes_, [&](const auto& node) { return node->endpoint() == owner; });
        // All that were written may be gone one day.
        if (!asked && nodes_.size() < kMaxAsked) add_node(servers_.at(owner));
    }
    user_.servers_changed();
}

}  // namespace

std::unique_ptr<RedisTopology> make_cluster_topology(const RedisConf& conf,
                                                     RedisTopology::User& user) {
    return std::make_unique<ClusterTopology>(conf, user);
}

}  // namespace gate::nginx
