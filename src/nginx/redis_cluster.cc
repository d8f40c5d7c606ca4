// The nodes of a Redis Cluster and the slots that they serve.
#include <map>
#include <string>

#include "nginx/redis_inquiry.h"
#include "nginx/redis_topology.h"
#include "redis/command.h"

namespace gate::nginx {

namespace {

using redis::Endpoint;

// Between two looks where something speaks against what is known.
constexpr ngx_msec_t kSoon = 50;

std::string slots_question() {
    std::string question;
    redis::append_command(question, {"CLUSTER", "SLOTS"});
    return question;
}

class ClusterTopology final : public RedisTopology, private RedisInquiry::Asker {
public:
    ClusterTopology(const RedisConf& conf, User& user)
        : conf_(conf), user_(user), inquiry_(conf, *this, slots_question(), kSoon) {
        for (const RedisServer& server : conf.servers) inquiry_.add(server);
    }

    const RedisServer* server_for(std::string_view key) const override {
        const Endpoint* const owner = slots_.owner(redis::slot_of(key));
        if (owner == nullptr) return nullptr;
        const auto server = servers_.find(*owner);
        return server != servers_.end() ? &server->second : nullptr;
    }
    void start() override { inquiry_.start(); }
    void doubt() override { inquiry_.hasten(); }
    void moved(const redis::Redirect& redirect) override {
        slots_.move(redirect.slot, redirect.to);
        know(redirect.to);
        doubt();
    }
    bool follows() const override { return false; }

private:
    bool can_answer(redis::Role role, std::string& why) const override {
        if (role != redis::Role::kSentinel) return true;
        why = "it is a sentinel; write \"sentinel master=NAME HOST:PORT;\"";
        return false;
    }
    bool take(const redis::Reply& reply, const Endpoint& asked) override {
        if (!slots_.assign(reply, asked)) return false;
        // All that were written may be gone one day: those that serve slots are asked too.
        for (const Endpoint& owner : slots_.owners()) inquiry_.add(know(owner));
        user_.servers_changed();
        return true;
    }
    std::string no_answer() const override { return "without naming who serves slots"; }
    const RedisServer& know(const Endpoint& endpoint) {
        return servers_.try_emplace(endpoint, named_server(conf_, endpoint)).first->second;
    }

    const RedisConf& conf_;
    User& user_;
    RedisInquiry inquiry_;
    redis::SlotMap slots_;
    std::map<Endpoint, RedisServer> servers_;
};

}  // namespace

std::unique_ptr<RedisTopology> make_cluster_topology(const RedisConf& conf,
                                                     RedisTopology::User& user) {
    return std::make_unique<ClusterTopology>(conf, user);
}

}  // namespace gate::nginx
