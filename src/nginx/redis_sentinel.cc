// The master of a set of servers, as their sentinels know it.
#include <optional>
#include <string>

#include "nginx/bridge.h"
#include "nginx/redis_inquiry.h"
#include "nginx/redis_topology.h"
#include "redis/sentinel.h"

namespace gate::nginx {

namespace {

// Between two questions where something speaks against what is known.
constexpr ngx_msec_t kSoon = 100;

std::string master_question(const std::string& master) {
    std::string question;
    redis::append_master_question(question, master);
    return question;
}

class SentinelTopology final : public RedisTopology, private RedisInquiry::Asker {
public:
    SentinelTopology(const RedisConf& conf, User& user)
        : conf_(conf),
          user_(user),
          inquiry_(*conf.sentinel, *this, master_question(conf.master), kSoon) {
        for (const RedisServer& server : conf.servers) inquiry_.add(server);
    }

    const RedisServer* server_for(std::string_view /*key*/) const override {
        return master_ ? &*master_ : nullptr;
    }
    void start() override { inquiry_.start(); }
    void doubt() override { inquiry_.hasten(); }

private:
    bool can_answer(redis::Role role, std::string& why) const override {
        if (role == redis::Role::kSentinel) return true;
        why = "it is no sentinel; write \"server HOST:PORT;\" for a server without sentinels";
        return false;
    }
    bool take(const redis::Reply& reply, const redis::Endpoint& asked) override;
    std::string no_answer() const override { return "that it knows no master " + conf_.master; }

    const RedisConf& conf_;
    User& user_;
    RedisInquiry inquiry_;
    std::optional<RedisServer> master_;
};

bool SentinelTopology::take(const redis::Reply& reply, const redis::Endpoint& /*asked*/) {
    const auto master = redis::read_master(reply);
    if (!master) return false;
    if (master_ && master_->endpoint == *master) return true;
    master_ = named_server(conf_, *master);
    const std::string shown = master->text();
    ngx_str_t name = str(conf_.name);
    ngx_str_t text = str(shown);
    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                  "gate_redis \"%V\": its sentinels name %V as the master", &name, &text);
    user_.servers_changed();
    return true;
}

}  // namespace

std::unique_ptr<RedisTopology> make_sentinel_topology(const RedisConf& conf,
                                                      RedisTopology::User& user) {
    return std::make_unique<SentinelTopology>(conf, user);
}

}  // namespace gate::nginx
