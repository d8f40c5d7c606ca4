// The master of a set of servers, as their sentinels know it.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "nginx/alarm.h"
#include "nginx/bridge.h"
#include "nginx/redis_node.h"
#include "nginx/redis_topology.h"
#include "redis/sentinel.h"

namespace gate::nginx {

namespace {

using redis::LinkFailure;
using redis::Reply;

// Between two questions where something speaks against what is known.
constexpr ngx_msec_t kSoon = 100;

class SentinelTopology final : public RedisTopology,
                               private RedisNode::Owner,
                               private redis::Caller {
public:
    SentinelTopology(const RedisConf& conf, User& user)
        : conf_(conf),
          user_(user),
          alarm_(call_member<SentinelTopology, &SentinelTopology::ring>, this) {
        RedisNode::Owner& owner = *this;
        for (const RedisServer& server : conf.servers) {
            sentinels_.push_back(std::make_unique<RedisNode>(*conf.sentinel, owner, server));
        }
    }

    const RedisServer* server_for(std::string_view /*key*/) const override {
        return master_ ? &*master_ : nullptr;
    }
    void start() override { ask(); }
    void doubt() override {
        if (!waiting_) alarm_.hasten(kSoon);
    }

private:
    bool accepts(RedisNode& /*node*/, redis::Role role, std::string& why) override {
        if (role == redis::Role::kSentinel) return true;
        why = "it is no sentinel; write \"server HOST:PORT;\" for a server without sentinels";
        return false;
    }
    void node_up(RedisNode& /*node*/) override {}
    void node_down(RedisNode& /*node*/, bool /*was_up*/) override {}

    void ring();
    void ask();
    void next();
    void answered(std::vector<Reply> replies) override;
    void failed(LinkFailure /*failure*/) override { next(); }

    const RedisConf& conf_;
    User& user_;
    std::vector<std::unique_ptr<RedisNode>> sentinels_;
    std::size_t at_ = 0;      // whom to ask
    std::size_t failed_ = 0;  // in a row
    bool waiting_ = false;
    Alarm alarm_;
    std::optional<RedisServer> master_;
};

void SentinelTopology::ring() {
    if (ngx_exiting) return;
    waiting_ ? next() : ask();
}

void SentinelTopology::ask() {
    std::string question;
    redis::append_master_question(question, conf_.master);
    waiting_ = sentinels_[at_]->send(*this, question, 1);
    // One that does not answer is not waited for longer than that.
    if (waiting_) {
        alarm_.set(conf_.timeout);
        return;
    }
    next();
}

// The one that was asked has no answer.
void SentinelTopology::next() {
    waiting_ = false;
    sentinels_[at_]->forget(*this);
    at_ = (at_ + 1) % sentinels_.size();
    // Once around without an answer: the back-off of the connections alone would not keep it quiet.
    failed_ = (failed_ + 1) % sentinels_.size();
    alarm_.set(failed_ == 0 ? conf_.backoff : 1);
}

void SentinelTopology::answered(std::vector<Reply> replies) {
    waiting_ = false;
    auto master = redis::read_master(replies.front());
    if (!master) return next();
    failed_ = 0;
    alarm_.set(conf_.keepalive);
    if (master_ && master_->endpoint == *master) return;
    master_ = named_server(conf_, *master);
    const std::string shown = master->text();
    ngx_str_t name = str(conf_.name);
    ngx_str_t text = str(shown);
    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                  "gate_redis \"%V\": its sentinels name %V as the master", &name, &text);
    user_.servers_changed();
}

}  // namespace

std::unique_ptr<RedisTopology> make_sentinel_topology(const RedisConf& conf,
                                                      RedisTopology::User& user) {
    return std::make_unique<SentinelTopology>(conf, user);
}

}  // namespace gate::nginx
