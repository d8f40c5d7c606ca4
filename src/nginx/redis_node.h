// One Redis server as a worker uses it: a connection that comes back by itself, no more often than
// the back-off allows, with the address and the password of the moment, and the questions that wait
// for it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "nginx/alarm.h"
#include "nginx/news.h"
#include "nginx/redis_link.h"
#include "nginx/redis_names.h"
#include "redis/backoff.h"

namespace gate::nginx {

class RedisNode : private RedisLink::Owner, private RedisNames::Asker {
public:
    class Owner {
    public:
        // Logged in. True: it is the server that is wanted; otherwise `why` says for people what
        // is wrong, and it is left again.
        virtual bool accepts(RedisNode& node, redis::Role role, std::string& why) = 0;
        virtual void node_up(RedisNode& node) = 0;
        // `was_up`: node_up() was called before.
        virtual void node_down(RedisNode& node, bool was_up) = 0;

    protected:
        ~Owner() = default;
    };

    RedisNode(const RedisConf& conf, Owner& owner, RedisServer server,
              redis::ReplyLimits limits = {});
    RedisNode(const RedisNode&) = delete;
    RedisNode& operator=(const RedisNode&) = delete;
    ~RedisNode();

    const redis::Endpoint& endpoint() const noexcept { return server_.endpoint; }
    bool ready() const noexcept { return link_.ready(); }
    ngx_msec_t heard() const noexcept { return link_.heard(); }
    // Why it could not be used last, for people, as long as that is not a minute ago.
    std::string problem() const;

    // Connects unless it is connected or connecting; when the back-off forbids it, later.
    void connect();
    // Whether it connects again whenever the connection is lost.
    void keep_connected(bool kept) noexcept { kept_ = kept; }

    // Sends at once or when the connection is there; the caller hears one or the other end. False:
    // it is down, and may not be tried now.
    bool send(redis::Caller& caller, std::string_view commands, std::size_t count);
    void forget(const redis::Caller& caller) noexcept;
    void suspect(std::uint64_t since) { link_.suspect(since); }
    // What it says is not to be trusted, or it says nothing: everybody who waits fails.
    void leave(redis::LinkFailure failure, std::string why);
    // It does not do what it was asked, and goes on being used.
    void complain(const std::string& error);
    // As leave() where nothing is wrong with the server: another one is wanted.
    void retire();

private:
    struct Queued {
        redis::Caller* caller;
        std::string commands;
        std::size_t count;
    };

    void link_up(RedisLink& link, redis::Role role) override;
    void link_down(RedisLink& link, redis::LinkFailure failure, const std::string& why) override;
    void looked_up() override;
    bool down() const noexcept { return link_.state() == RedisLink::State::kDown && !looking_up_; }
    void open();
    void open_link();
    // Its addresses are being asked for: looked_up() follows.
    bool look_up();
    void lost(redis::LinkFailure failure);
    bool may_try() const noexcept;
    bool read_password_again();
    void report(const std::string& why);

    const RedisConf& conf_;
    Owner& owner_;
    RedisServer server_;
    std::shared_ptr<const Secret> password_;
    std::size_t next_address_ = 0;
    RedisLink link_;
    redis::Backoff backoff_;
    Alarm retry_;
    std::vector<Queued> queue_;
    std::string problem_;
    ngx_msec_t problem_at_ = 0;
    News news_;                         // of problems since it was up for a while
    bool told_up_ = false;              // and that they are over
    bool refused_ = false;              // the login, for its password
    bool corrected_ = false;            // by reading it again since it was up last
    bool unreadable_reported_ = false;  // its file
    bool kept_ = false;
    bool retiring_ = false;
    bool looking_up_ = false;
    bool up_ = false;
    ngx_msec_t up_at_ = 0;
};

}  // namespace gate::nginx
