#include "nginx/redis_inquiry.h"

#include <algorithm>
#include <utility>

namespace gate::nginx {

namespace {

constexpr std::size_t kMaxNodes = 64;

}  // namespace

RedisInquiry::RedisInquiry(const RedisConf& conf, Asker& asker, std::string question,
                           ngx_msec_t soon)
    : conf_(conf),
      asker_(asker),
      question_(std::move(question)),
      soon_(soon),
      alarm_(call_member<RedisInquiry, &RedisInquiry::ring>, this) {}

void RedisInquiry::add(const RedisServer& server) {
    const bool known = std::ranges::any_of(
        nodes_, [&](const auto& node) { return node->endpoint() == server.endpoint; });
    if (known || nodes_.size() == kMaxNodes) return;
    RedisNode::Owner& owner = *this;
    nodes_.push_back(std::make_unique<RedisNode>(conf_, owner, server));
}

void RedisInquiry::ring() {
    if (ngx_exiting) return;
    waiting_ ? next() : ask();
}

void RedisInquiry::ask() {
    waiting_ = nodes_[at_]->send(*this, question_, 1);
    if (!waiting_) return next();
    alarm_.set(conf_.timeout);
}

// The one that was asked has no answer.
void RedisInquiry::next() {
    waiting_ = false;
    nodes_[at_]->forget(*this);
    at_ = (at_ + 1) % nodes_.size();
    // Once around without an answer: the back-off of the connections alone would not keep it quiet.
    failed_ = (failed_ + 1) % nodes_.size();
    alarm_.set(failed_ == 0 ? conf_.backoff : 1);
}

void RedisInquiry::answered(std::vector<redis::Reply> replies) {
    waiting_ = false;
    const redis::Reply& reply = replies.front();
    if (!asker_.take(reply, nodes_[at_]->endpoint())) {
        nodes_[at_]->complain(reply.is(redis::Reply::Type::kError) ? reply.text
                                                                   : asker_.no_answer());
        return next();
    }
    failed_ = 0;
    alarm_.set(conf_.keepalive);
}

}  // namespace gate::nginx
