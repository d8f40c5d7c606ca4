// One connection to a Redis server: made without blocking, logged in, and closed at the first thing
// that is not as it should be. A server that is a master no more is asked nothing: where it was not
// asked for its role within `keepalive`, it is before the next question.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "nginx/alarm.h"
#include "nginx/ngx.h"
#include "nginx/redis_conf.h"
#include "redis/login.h"
#include "redis/pipeline.h"

namespace gate::nginx {

class RedisLink {
public:
    // How long a question may block at most (XREAD).
    static constexpr ngx_msec_t kLongestBlock = 500;

    // Hears what becomes of the link. It may open the link again, but neither destroy it from here
    // nor from a Caller's functions.
    class Owner {
    public:
        virtual void link_up(RedisLink& link, redis::Role role) = 0;
        // `why` is for people.
        virtual void link_down(RedisLink& link, redis::LinkFailure failure,
                               const std::string& why) = 0;

    protected:
        ~Owner() = default;
    };

    RedisLink(const RedisConf& conf, Owner& owner, redis::ReplyLimits limits = {});
    RedisLink(const RedisLink&) = delete;
    RedisLink& operator=(const RedisLink&) = delete;
    // Callers hear nothing any more.
    ~RedisLink();

    // Connects and logs in as `login` says; link_up() or link_down() follows, not before this
    // returns. `host`: what a certificate has to name unless ssl_name does.
    void open(const Address& address, const std::string& host, redis::Login login);
    // Fails all callers; link_down() follows.
    void close(redis::LinkFailure failure, std::string why);

    enum class State : std::uint8_t { kDown, kConnecting, kLogin, kReady };
    State state() const noexcept { return state_; }
    bool ready() const noexcept { return state_ == State::kReady; }
    const std::string& peer() const noexcept { return peer_; }
    // When something came from it last, of ngx_current_msec.
    ngx_msec_t heard() const noexcept { return heard_; }
    // What the login was refused for, of the last link_down().
    redis::ErrorKind login_problem() const noexcept { return login_problem_; }

    // ready() only. Written at the end of this turn of the event loop.
    void send(redis::Caller& caller, std::string_view commands, std::size_t count);
    void forget(const redis::Caller& caller) noexcept { pipeline_.forget(caller); }
    // Somebody found that something is wrong with the server at that instant of ngx_current_msec.
    void suspect(std::uint64_t since);
    std::size_t waiting() const noexcept { return pipeline_.waiting(); }

private:
    class Internal : public redis::Caller {
    public:
        Internal(RedisLink& link, void (RedisLink::*answered)(std::vector<redis::Reply>)) noexcept
            : link_(link), answered_(answered) {}
        void answered(std::vector<redis::Reply> replies) override;
        void failed(redis::LinkFailure) override {}

    private:
        RedisLink& link_;
        void (RedisLink::*answered_)(std::vector<redis::Reply>);
    };

    template <void (RedisLink::*body)()>
    static void on_event(ngx_event_t* event) noexcept;
    static void on_handshake(ngx_connection_t* connection) noexcept;
    static void on_tls_alert(const SSL* ssl, int where, int value) noexcept;

    bool connect(const Address& address);
    void connected();
    void begin_tls();
    void finish_tls();
    void log_in();
    void logged_in(std::vector<redis::Reply> replies);
    void ask_role();
    bool role_is_old() const noexcept;
    void await_turn() noexcept;
    void told_role(std::vector<redis::Reply> replies);
    void readable();
    void writable();
    bool read_some();
    void flush();
    void ring();
    void disconnect() noexcept;
    void mark_idle() noexcept;

    const RedisConf& conf_;
    Owner& owner_;
    redis::Pipeline pipeline_;
    redis::Login login_;
    Internal login_caller_;
    Internal role_caller_;
    Alarm alarm_;
    Errand flusher_;
    ngx_log_t log_{};  // nginx's own lines about this connection: only what needs somebody
    ngx_connection_t* connection_ = nullptr;
    std::string host_;
    std::string peer_;
    ngx_msec_t heard_ = 0;
    std::string close_reason_;
    redis::LinkFailure close_failure_ = redis::LinkFailure::kClosed;
    std::string tls_alert_;
    State state_ = State::kDown;
    redis::ErrorKind login_problem_ = redis::ErrorKind::kOther;
    bool busy_ = false;     // callers are being called: closing has to wait
    bool closing_ = false;  // and is wanted
    bool asking_role_ = false;
    ngx_msec_t asked_role_ = 0;                // when, last
    redis::Role role_ = redis::Role::kMaster;  // when it logged in
};

}  // namespace gate::nginx
