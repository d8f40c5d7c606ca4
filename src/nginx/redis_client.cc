#include "nginx/redis_client.h"

#include <algorithm>
#include <utility>

#include "nginx/bridge.h"
#include "nginx/clock.h"
#include "nginx/conf.h"
#include "redis/command.h"

namespace gate::nginx {

namespace {

using redis::LinkFailure;

std::string_view name_of(LinkFailure failure) noexcept {
    switch (failure) {
        case LinkFailure::kTimeout:
            return "timeout";
        case LinkFailure::kOverflow:
            return "overflow";
        case LinkFailure::kClosed:
        case LinkFailure::kProtocol:
            break;
    }
    return "closed";
}

// One of each block, between init_process and exit_process.
std::vector<std::unique_ptr<RedisClient>>* clients = nullptr;

}  // namespace

// Stands between the caller and the connection, so that the one may leave and the other may fail.
struct RedisClient::Question final : redis::Caller {
    Question(RedisClient& owner, redis::Caller& asker, std::vector<std::string> asked_by)
        : client(owner),
          caller(&asker),
          commands(std::move(asked_by)),
          replies(commands.size()),
          asked(ngx_current_msec),
          asked_nanoseconds(monotonic_nanoseconds()) {
        for (std::size_t i = 0; i < commands.size(); ++i) open.push_back(i);
    }

    void answered(std::vector<redis::Reply> arrived) override {
        if (!client.take_replies(*this, std::move(arrived)) && client.redirect(*this)) return;
        const auto self = client.take(*this);
        // Whatever comes of that, whoever waits gets the answer.
        guard(ngx_cycle->log, 0, [this] {
            client.judge(*this);
            return 0;
        });
        caller->answered(std::move(replies));
    }
    void failed(LinkFailure failure) override {
        const auto self = client.take(*this);
        client.counting_.question(name_of(failure));
        caller->failed(failure);
    }

    RedisClient& client;
    redis::Caller* caller;
    std::vector<std::string> commands;
    std::vector<redis::Reply> replies;  // one for each command
    std::vector<std::size_t> open;      // commands that were sent last
    bool asking = false;                // each behind an ASKING of its own
    unsigned redirects = 0;
    RedisNode* node = nullptr;
    ngx_msec_t asked;
    std::uint64_t asked_nanoseconds;
    Questions::iterator place;
};

RedisClient::RedisClient(const RedisConf& conf, cache::Zone* zone)
    : conf_(conf),
      counting_(conf.name, zone),
      topology_(make_topology(conf, static_cast<RedisTopology::User&>(*this))),
      deadline_(call_member<RedisClient, &RedisClient::expire>, this, Binding::kBinding) {}

RedisClient::~RedisClient() = default;

void RedisClient::start() {
    topology_->start();
    servers_changed();
}

// Connects to the server of the store, and leaves those that are not named any more.
void RedisClient::servers_changed() {
    const RedisServer* const server = topology_->server_for(conf_.keys.epoch());
    if (server == nullptr) return;
    RedisNode* const wanted = node_at(*server);
    for (const auto& node : nodes_) {
        const bool kept = node.get() == wanted;
        node->keep_connected(kept);
        if (!kept && topology_->follows()) node->retire();
    }
    wanted->connect();
}

RedisNode* RedisClient::node_at(const RedisServer& server) {
    for (const auto& node : nodes_) {
        if (node->endpoint() == server.endpoint) return node.get();
    }
    RedisNode::Owner& owner = *this;  // which nobody else may see it as
    nodes_.push_back(std::make_unique<RedisNode>(conf_, owner, server));
    evictions_.push_back(std::make_unique<EvictionCheck>(conf_, *nodes_.back()));
    return nodes_.back().get();
}

RedisNode* RedisClient::node_for(std::string_view key) {
    const RedisServer* const server = topology_->server_for(key);
    if (server != nullptr) return node_at(*server);
    topology_->doubt();
    return nullptr;
}

std::optional<LinkFailure> RedisClient::ask(redis::Caller& caller, std::string_view key,
                                            std::vector<std::string> commands) {
    if (questions_.size() >= conf_.queue) return refuse(LinkFailure::kOverflow);
    RedisNode* const node = node_for(key);
    if (node == nullptr) return refuse(LinkFailure::kClosed);
    questions_.push_back(std::make_unique<Question>(*this, caller, std::move(commands)));
    Question& question = *questions_.back();
    question.place = std::prev(questions_.end());
    // Where memory is short as well nobody waits for what was never sent.
    if (!guard(ngx_cycle->log, false, [&] { return send(question, *node, false); })) {
        node->forget(question);
        questions_.pop_back();
        topology_->doubt();
        return refuse(LinkFailure::kClosed);
    }
    counting_.waiting(questions_.size());
    if (!deadline_.is_set()) deadline_.set(conf_.timeout);
    return std::nullopt;
}

std::optional<LinkFailure> RedisClient::refuse(LinkFailure failure) {
    counting_.question(name_of(failure));
    return failure;
}

bool RedisClient::send(Question& question, RedisNode& node, bool asking) {
    std::string octets;
    for (const std::size_t i : question.open) {
        if (asking) redis::append_command(octets, {"ASKING"});
        octets += question.commands[i];
    }
    question.node = &node;
    question.asking = asking;
    return node.send(question, octets, question.open.size() * (asking ? 2 : 1));
}

bool RedisClient::take_replies(Question& question, std::vector<redis::Reply> replies) {
    const std::size_t step = question.asking ? 2 : 1;
    for (std::size_t i = 0; i < question.open.size(); ++i) {
        question.replies[question.open[i]] = std::move(replies[i * step + step - 1]);
    }
    return std::ranges::none_of(question.replies, [](const redis::Reply& reply) {
        return reply.is(redis::Reply::Type::kError);
    });
}

// An error is an answer to the caller; for the connection it is the end, for the next answer would
// hardly be better. Not so what only one key is to blame for, or a cluster's nodes while slots
// move.
void RedisClient::judge(const Question& question) {
    using redis::ErrorKind;
    const auto is_error = [](const redis::Reply& reply) {
        return reply.is(redis::Reply::Type::kError);
    };
    counting_.question(std::ranges::any_of(question.replies, is_error) ? "error" : "answered");
    counting_.answer_took((monotonic_nanoseconds() - question.asked_nanoseconds) / 1000);
    for (const redis::Reply& reply : question.replies) {
        if (!is_error(reply)) continue;
        const ErrorKind kind = redis::error_kind(reply.text);
        if (kind == ErrorKind::kPermission) question.node->complain(reply.text);
        if (kind == ErrorKind::kWrongType || kind == ErrorKind::kPermission ||
            kind == ErrorKind::kMoved || kind == ErrorKind::kAsk || kind == ErrorKind::kTryAgain ||
            kind == ErrorKind::kClusterDown) {
            continue;
        }
        question.node->leave(LinkFailure::kProtocol, "it answers " + log_escaped(reply.text, 100));
    }
}

// A slot that moves from one node to another is in both for a while: each command follows its own
// redirection, and what has been answered stands. False: the errors are the answer.
bool RedisClient::redirect(Question& question) {
    constexpr unsigned kMaxRedirects = 4;
    std::optional<redis::Redirect> first;
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < question.replies.size(); ++i) {
        const redis::Reply& reply = question.replies[i];
        if (!reply.is(redis::Reply::Type::kError)) continue;
        const redis::ErrorKind kind = redis::error_kind(reply.text);
        if (kind == redis::ErrorKind::kReadOnly || kind == redis::ErrorKind::kMasterDown ||
            kind == redis::ErrorKind::kClusterDown) {
            topology_->doubt();
        }
        const auto redirect = redis::read_redirect(reply.text, question.node->endpoint());
        if (!redirect || conf_.topology != RedisTopologyKind::kCluster) return false;
        if (!redirect->ask) topology_->moved(*redirect);
        if (!first) first = redirect;
        open.push_back(i);
    }
    if (!first || ++question.redirects > kMaxRedirects) return false;
    question.open = std::move(open);
    return send(question, *node_at(named_server(conf_, first->to)), first->ask);
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
    counting_.waiting(questions_.size());
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
    topology_->doubt();
    why = role == redis::Role::kReplica
              ? "it is a replica, which may not know yet what is revoked; name its master, or its "
                "sentinels"
              : "it is a sentinel; write \"sentinel master=NAME HOST:PORT;\"";
    return false;
}

// Whatever was known of the store may have changed while nobody listened.
void RedisClient::node_up(RedisNode& node) {
    counting_.connection(node.endpoint(), "up");
    epoch_.clear();
    for (const auto& eviction : evictions_) {
        if (eviction->asks(node)) eviction->ask();
    }
}

void RedisClient::node_down(RedisNode& node, bool was_up) {
    counting_.connection(node.endpoint(), was_up ? "lost" : "failed");
    topology_->doubt();
}

RedisNode* RedisClient::store_node() const {
    const RedisServer* const server = topology_->server_for(conf_.keys.epoch());
    if (server == nullptr) return nullptr;
    const auto found = std::ranges::find_if(
        nodes_, [&](const auto& node) { return node->endpoint() == server->endpoint; });
    return found == nodes_.end() ? nullptr : found->get();
}

bool RedisClient::ready() const {
    const RedisNode* const node = store_node();
    return node != nullptr && node->ready();
}

std::string RedisClient::problem() const {
    if (const RedisNode* const node = store_node()) return node->problem();
    switch (conf_.topology) {
        case RedisTopologyKind::kSentinel:
            return "no sentinel has named a master";
        case RedisTopologyKind::kCluster:
            return "no node has told who serves the slot of the store";
        case RedisTopologyKind::kStandalone:
            break;
    }
    return {};
}

void RedisClient::tell() {
    counting_.present();
    RedisNode* const node = store_node();
    if (node == nullptr || !node->ready()) return;
    counting_.ready(node->heard());
    node->suspect(state().failure.load(std::memory_order_relaxed));
}

bool RedisClient::is_epoch(std::string_view epoch) {
    heard_epoch(epoch);
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
    for (const auto& conf : main.redis) start_names(*conf);
    clients = new std::vector<std::unique_ptr<RedisClient>>;
    for (const auto& conf : main.redis) {
        clients->push_back(std::make_unique<RedisClient>(*conf, zone_of(main)));
        clients->back()->start();
    }
}

void stop_redis() noexcept {
    delete clients;
    clients = nullptr;
    stop_names();
}

RedisClient* redis_client(const RedisConf& conf) noexcept {
    if (clients == nullptr) return nullptr;
    for (const auto& client : *clients) {
        if (&client->conf() == &conf) return client.get();
    }
    return nullptr;
}

}  // namespace gate::nginx
