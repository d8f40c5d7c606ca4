// Asking one of several servers again and again, in turn until one has an answer.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "nginx/alarm.h"
#include "nginx/redis_node.h"

namespace gate::nginx {

class RedisInquiry : private RedisNode::Owner, private redis::Caller {
public:
    class Asker {
    public:
        // Takes the reply of `asked`; false: it is no answer, and the next one is asked.
        virtual bool take(const redis::Reply& reply, const redis::Endpoint& asked) = 0;
        // What a reply is that is no answer, and no error: "it answers ..".
        virtual std::string no_answer() const = 0;
        // Whether a server of this role can be asked; otherwise `why` says what is wrong with it.
        virtual bool can_answer(redis::Role role, std::string& why) const = 0;

    protected:
        ~Asker() = default;
    };

    // `question`: one command. It is asked every keepalive of `conf`, and `soon` milliseconds after
    // hasten().
    RedisInquiry(const RedisConf& conf, Asker& asker, std::string question, ngx_msec_t soon);

    // Asks this one too, unless it does.
    void add(const RedisServer& server);
    void start() { ask(); }
    // However often it is called, nobody is asked later for that.
    void hasten() noexcept {
        if (!waiting_) alarm_.hasten(soon_);
    }

private:
    bool accepts(RedisNode& /*node*/, redis::Role role, std::string& why) override {
        return asker_.can_answer(role, why);
    }
    void node_up(RedisNode& /*node*/) override {}
    void node_down(RedisNode& /*node*/, bool /*was_up*/) override {}

    void ring();
    void ask();
    void next();
    void answered(std::vector<redis::Reply> replies) override;
    void failed(redis::LinkFailure /*failure*/) override { next(); }

    const RedisConf& conf_;
    Asker& asker_;
    std::string question_;
    ngx_msec_t soon_;
    std::vector<std::unique_ptr<RedisNode>> nodes_;
    std::size_t at_ = 0;      // whom to ask
    std::size_t failed_ = 0;  // in a row
    bool waiting_ = false;
    Alarm alarm_;
};

}  // namespace gate::nginx
