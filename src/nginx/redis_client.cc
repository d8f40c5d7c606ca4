#include "nginx/redis_client.h"

#include <algorithm>
#include <utility>

#include "nginx/bridge.h"
#include "nginx/conf.h"

namespace gate::nginx {

namespace {

using redis::LinkFailure;

// One of each block, between init_process and exit_process.
std::vector<std::unique_ptr<RedisClient>>* clients = nullptr;

}  // namespace

// Stands between the caller and the connection, so that the one may leave and the other may fail.
struct RedisClient::Question final : redis::Caller {
    Question(RedisClient& client, redis::Caller& caller)
        : client(client), caller(&caller), asked(ngx_current_msec) {}

    void answered(std::vector<redis::Reply> replies) override {
        const auto self = client.take(*this);
        caller->answered(std::move(replies));
    }
    void failed(LinkFailure failure) override {
        const auto self = client.take(*this);
        caller->failed(failure);
    }

    RedisClient& client;
    redis::Caller* caller;
    RedisNode* node = nullptr;
    ngx_msec_t asked;
    Questions::iterator place;
};

RedisClient::RedisClient(const RedisConf& conf)
    : conf_(conf),
      deadline_(call_member<RedisClient, &RedisClient::expire>, this, Binding::kBinding) {}

RedisClient::~RedisClient() = default;

void RedisClient::start() {
    RedisNode::Owner& owner = *this;  // which nobody else may see it as
    node_ = std::make_unique<RedisNode>(conf_, owner, conf_.servers.front());
    node_->keep_connected();
    node_->connect();
}

RedisNode* RedisClient::node_for(std::string_view /*key*/) {
    return node_.get();
}

std::optional<LinkFailure> RedisClient::ask(redis::Caller& caller, std::string_view key,
                                            std::string commands, std::size_t count) {
    if (questions_.size() >= conf_.queue) return LinkFailure::kOverflow;
    RedisNode* const node = node_for(key);
    if (node == nullptr) return LinkFailure::kClosed;
    questions_.push_back(std::make_unique<Question>(*this, caller));
    Question& question = *questions_.back();
    question.place = std::prev(questions_.end());
    question.node = node;
    if (!node->send(question, commands, count)) {
        questions_.pop_back();
        return LinkFailure::kClosed;
    }
    if (!deadline_.is_set()) deadline_.set(conf_.timeout);
    return std::nullopt;
}

void RedisClient::forget(const redis::Caller& caller) noexcept {
    const auto place = std::ranges::find_if(
        questions_, [&](const auto& question) { return question->caller == &caller; });
    if (place == questions_.end()) return;
    const auto question = take(**place);
    question->node->forget(*question);
}

std::unique_ptr<RedisClient::Question> RedisClient::take(Question& question) noexcept {
    std::unique_ptr<Question> taken = std::move(*question.place);
    questions_.erase(question.place);
    if (questions_.empty()) deadline_.stop();
    return taken;
}

// Answers come in the order of the questions: where one is late, all behind it are.
void RedisClient::expire() {
    while (!questions_.empty()) {
        Question& first = *questions_.front();
        const ngx_msec_t age = ngx_current_msec - first.asked;
        if (age < conf_.timeout) return deadline_.set(conf_.timeout - age);
        RedisNode& node = *first.node;
        node.forget(first);
        first.failed(LinkFailure::kTimeout);
        node.leave(LinkFailure::kTimeout, "no answer within timeout");
    }
}

bool RedisClient::accepts(RedisNode& /*node*/, redis::Role role, std::string& why) {
    if (role == redis::Role::kMaster) return true;
    why = role == redis::Role::kReplica
              ? "it is a replica, which may not know yet what is revoked; name its master, or its "
                "sentinels"
              : "it is a sentinel; write \"sentinel master=NAME HOST:PORT;\"";
    return false;
}

// Whatever was known of the store may have changed while nobody listened.
void RedisClient::node_up(RedisNode& /*node*/) {
    epoch_.clear();
}

void RedisClient::node_down(RedisNode& /*node*/) {}

bool RedisClient::is_epoch(std::string_view epoch) {
    if (!epoch.empty() && (epoch_.empty() || epoch_ == epoch)) {
        epoch_ = epoch;
        epoch_reported_ = false;
        return true;
    }
    if (!epoch_reported_) {
        epoch_reported_ = true;
        const std::string key = conf_.keys.epoch();
        ngx_str_t name = str(conf_.name);
        ngx_str_t text = str(key);
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      epoch.empty() ? "gate_redis \"%V\": the key \"%V\" is missing: the store is "
                                      "empty or was never set up; restore it, or see \"gatectl "
                                      "store init\"; what needs it is refused with 503"
                                    : "gate_redis \"%V\": the value of \"%V\" has changed: this is "
                                      "another store; what needs it is refused until it is known",
                      &name, &text);
    }
    if (!epoch.empty()) distrust(conf_.keys.epoch(), "its epoch has changed");
    return false;
}

void RedisClient::distrust(std::string_view key, const std::string& why) {
    if (RedisNode* const node = node_for(key)) node->leave(LinkFailure::kProtocol, why);
}

void start_redis(const MainConf& main) {
    clients = new std::vector<std::unique_ptr<RedisClient>>;
    for (const auto& conf : main.redis) {
        clients->push_back(std::make_unique<RedisClient>(*conf));
        clients->back()->start();
    }
}

void stop_redis() noexcept {
    delete clients;
    clients = nullptr;
}

RedisClient* redis_client(const RedisConf& conf) noexcept {
    if (clients == nullptr) return nullptr;
    for (const auto& client : *clients) {
        if (&client->conf() == &conf) return client.get();
    }
    return nullptr;
}

}  // namespace gate::nginx
