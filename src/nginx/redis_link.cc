#include "nginx/redis_link.h"

#include <algorithm>
#include <array>
#include <system_error>

#include <netinet/tcp.h>

#include "nginx/turns.h"
#include "redis/command.h"

namespace gate::nginx {

namespace {

using redis::LinkFailure;

constexpr std::size_t kReadSize = 16384;
constexpr int kReadsATurn = 8;  // then others have their turn
constexpr std::size_t kLinkPool = 512;

std::string reason_of(int error) {
    return std::generic_category().message(error);
}

bool is_address(const std::string& host) noexcept {
    u_char unused[16];
    auto* text = reinterpret_cast<u_char*>(const_cast<char*>(host.data()));
    return ngx_inet_addr(text, host.size()) != INADDR_NONE ||
           ngx_inet6_addr(text, host.size(), unused) == NGX_OK;
}

// nginx's own check knows names only. Certificates have addresses in a field of their own.
bool names_host(ngx_connection_t* connection, const std::string& host) {
    if (!is_address(host)) {
        ngx_str_t name = str(host);
        return ngx_ssl_check_host(connection, &name) == NGX_OK;
    }
    X509* const certificate = SSL_get1_peer_certificate(connection->ssl->connection);
    const bool named =
        certificate != nullptr && X509_check_ip_asc(certificate, host.c_str(), 0) == 1;
    X509_free(certificate);
    return named;
}

// A cable that was pulled is found by the kernel within `keepalive`, or three seconds: without a
// command of Redis, in each worker. Where that cannot be had, the next question is not answered.
void probe_when_idle(ngx_connection_t* connection, ngx_msec_t keepalive) noexcept {
    constexpr int kProbes = 2;  // a second each
    const int idle = std::max(static_cast<int>(keepalive / 1000) - kProbes, 1);
    const auto set = [connection](int level, int option, int value) {
        (void)setsockopt(connection->fd, level, option, &value, sizeof value);
    };
    set(SOL_SOCKET, SO_KEEPALIVE, 1);
    set(IPPROTO_TCP, TCP_KEEPIDLE, idle);
    set(IPPROTO_TCP, TCP_KEEPINTVL, 1);
    set(IPPROTO_TCP, TCP_KEEPCNT, kProbes);
}

}  // namespace

void RedisLink::Internal::answered(std::vector<redis::Reply> replies) {
    (link_.*answered_)(std::move(replies));
}

RedisLink::RedisLink(const RedisConf& conf, Owner& owner, redis::ReplyLimits limits)
    : conf_(conf),
      owner_(owner),
      pipeline_(limits),
      login_caller_(*this, &RedisLink::logged_in),
      role_caller_(*this, &RedisLink::told_role),
      alarm_(call_member<RedisLink, &RedisLink::ring>, this),
      flusher_(call_member<RedisLink, &RedisLink::flush>, this) {}

RedisLink::~RedisLink() {
    disconnect();
}

template <void (RedisLink::*body)()>
void RedisLink::on_event(ngx_event_t* event) noexcept {
    auto* link = static_cast<RedisLink*>(static_cast<ngx_connection_t*>(event->data)->data);
    guard(event->log, 0, [link] {
        (link->*body)();
        return 0;
    });
}

void RedisLink::on_handshake(ngx_connection_t* connection) noexcept {
    auto* link = static_cast<RedisLink*>(connection->data);
    guard(connection->log, 0, [link] {
        link->finish_tls();
        return 0;
    });
}

// OpenSSL tells its reasons nowhere else that is still there when the handshake has failed.
void RedisLink::on_tls_alert(const SSL* ssl, int where, int value) noexcept {
    if ((where & SSL_CB_ALERT) == 0) return;
    auto* connection =
        static_cast<ngx_connection_t*>(SSL_get_ex_data(ssl, ngx_ssl_connection_index));
    guard(connection->log, 0, [&] {
        static_cast<RedisLink*>(connection->data)->tls_alert_ = SSL_alert_desc_string_long(value);
        return 0;
    });
}

void RedisLink::open(const Address& address, const std::string& host, redis::Login login) {
    disconnect();
    log_ = *ngx_cycle->log;
    log_.log_level = std::min<ngx_uint_t>(log_.log_level, NGX_LOG_ALERT);
    peer_ = address.text;
    host_ = host;
    login_ = std::move(login);
    login_problem_ = redis::ErrorKind::kOther;
    tls_alert_.clear();
    state_ = State::kConnecting;
    closing_ = false;
    alarm_.set(conf_.connect_timeout);
    if (connect(address)) return;
    closing_ = true;  // whoever opens it is not called back before this returns
    alarm_.set(0);
}

bool RedisLink::connect(const Address& address) {
    ngx_str_t name = str(peer_);
    sockaddr_storage storage = address.storage;
    ngx_peer_connection_t peer{};
    peer.sockaddr = reinterpret_cast<sockaddr*>(&storage);
    peer.socklen = address.size;
    peer.name = &name;
    peer.get = ngx_event_get_peer;
    peer.log = &log_;
    peer.log_error = NGX_ERROR_ERR;
    ngx_set_errno(0);
    const ngx_int_t rc = ngx_event_connect_peer(&peer);
    connection_ = peer.connection;
    if (rc != NGX_OK && rc != NGX_AGAIN) {
        close_failure_ = LinkFailure::kClosed;
        close_reason_ = "connect() failed: " +
                        (ngx_errno != 0 ? reason_of(ngx_errno) : std::string("no connection left"));
        return false;
    }
    connection_->data = this;
    connection_->log = &log_;
    connection_->idle = 1;  // nobody waits for it yet: an exiting worker may close it
    connection_->read->handler = on_event<&RedisLink::readable>;
    connection_->write->handler = on_event<&RedisLink::writable>;
    connection_->pool = ngx_create_pool(kLinkPool, &log_);
    if (connection_->pool == nullptr) {
        close_failure_ = LinkFailure::kClosed;
        close_reason_ = "no memory for a connection";
        return false;
    }
    if (rc == NGX_OK) {
        ngx_post_event(connection_->write, &ngx_posted_events);
    }
    return true;
}

// The socket is writable for the first time: connected, or not.
void RedisLink::connected() {
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(connection_->fd, SOL_SOCKET, SO_ERROR, &error, &size) == -1) error = ngx_errno;
    if (error != 0) return close(LinkFailure::kClosed, "connect() failed: " + reason_of(error));
    if (connection_->tcp_nodelay == NGX_TCP_NODELAY_UNSET) ngx_tcp_nodelay(connection_);
    probe_when_idle(connection_, conf_.keepalive);
    state_ = State::kLogin;
    if (conf_.tls.on) return begin_tls();
    log_in();
}

void RedisLink::begin_tls() {
    if (ngx_ssl_create_connection(conf_.tls.context, connection_, NGX_SSL_CLIENT) != NGX_OK) {
        return close(LinkFailure::kClosed, "no memory for TLS");
    }
    if (!conf_.tls.name.empty()) host_ = conf_.tls.name;
    SSL* const ssl = connection_->ssl->connection;
    SSL_set_info_callback(ssl, on_tls_alert);
    // RFC 6066 section 3: no addresses there.
    if (!is_address(host_) && SSL_set_tlsext_host_name(ssl, host_.c_str()) == 0) {
        return close(LinkFailure::kClosed, "no memory for TLS");
    }
    if (ngx_ssl_handshake(connection_) == NGX_AGAIN) {
        connection_->ssl->handler = on_handshake;
        return;
    }
    finish_tls();
}

void RedisLink::finish_tls() {
    if (!connection_->ssl->handshaked) {
        return close(LinkFailure::kClosed,
                     "the TLS handshake failed" + (tls_alert_.empty() ? "" : ": " + tls_alert_));
    }
    if (conf_.tls.verify) {
        const long verified = SSL_get_verify_result(connection_->ssl->connection);
        if (verified != X509_V_OK) {
            return close(LinkFailure::kClosed, std::string("its certificate is not good: ") +
                                                   X509_verify_cert_error_string(verified));
        }
        if (!names_host(connection_, host_)) {
            return close(LinkFailure::kClosed, "its certificate does not name \"" + host_ + "\"");
        }
    }
    connection_->read->handler = on_event<&RedisLink::readable>;
    connection_->write->handler = on_event<&RedisLink::writable>;
    log_in();
}

void RedisLink::log_in() {
    std::string commands;
    const std::size_t count = redis::append_login(commands, login_);
    asked_role_ = ngx_current_msec;
    pipeline_.send(login_caller_, ngx_current_msec, commands, count);
    wipe(commands.data(), commands.size());
    flush();
}

void RedisLink::logged_in(std::vector<redis::Reply> replies) {
    const auto role = redis::read_login(login_, replies);
    if (!role) {
        login_problem_ = role.error().kind;
        return close(LinkFailure::kClosed, role.error().text);
    }
    role_ = *role;
    state_ = State::kReady;
    await_turn();
    owner_.link_up(*this, *role);
}

// A master that has become a replica answers as before, and may not know what has been revoked.
void RedisLink::ask_role() {
    std::string question;
    redis::append_command(question, {"ROLE"});
    pipeline_.send(role_caller_, ngx_current_msec, question, 1);
    asking_role_ = true;
    asked_role_ = ngx_current_msec;
    // It may stand behind a question that blocks.
    alarm_.set(conf_.timeout + kLongestBlock);
}

void RedisLink::told_role(std::vector<redis::Reply> replies) {
    asking_role_ = false;
    if (redis::read_role(replies.front()) != role_) {
        return close(LinkFailure::kProtocol,
                     "it is not any more what it was when it was connected");
    }
    await_turn();
}

bool RedisLink::role_is_old() const noexcept {
    return !asking_role_ && ngx_current_msec - asked_role_ >= conf_.keepalive;
}

// Where nothing is asked one worker finds in each keepalive what is wrong, and the others suspect()
// it then.
void RedisLink::await_turn() noexcept {
    alarm_.set(conf_.shared ? until_turn(conf_.keepalive) : conf_.keepalive);
}

void RedisLink::suspect(std::uint64_t since) {
    if (!ready() || !role_is_old() || since < asked_role_) return;
    ask_role();
    flush();
}

// A deadline has passed: to be connected and logged in, or to say its role; or it is this worker's
// turn to ask for it.
void RedisLink::ring() {
    if (closing_) return close(close_failure_, close_reason_);
    if (state_ != State::kReady) {
        return close(LinkFailure::kTimeout, state_ == State::kConnecting
                                                ? "no connection within connect_timeout"
                                                : "no login within connect_timeout");
    }
    if (asking_role_) return close(LinkFailure::kTimeout, "no answer to ROLE within timeout");
    if (!role_is_old()) return alarm_.set(asked_role_ + conf_.keepalive - ngx_current_msec);
    ask_role();
    flush();
}

void RedisLink::send(redis::Caller& caller, std::string_view commands, std::size_t count) {
    if (role_is_old()) ask_role();
    pipeline_.send(caller, ngx_current_msec, commands, count);
    mark_idle();
    flusher_.post();
}

void RedisLink::flush() {
    if (connection_ == nullptr || state_ < State::kLogin) return;
    while (!pipeline_.output().empty()) {
        const std::string_view output = pipeline_.output();
        const ssize_t sent = connection_->send(
            connection_, reinterpret_cast<u_char*>(const_cast<char*>(output.data())),
            output.size());
        if (sent == NGX_AGAIN) break;
        if (sent <= 0) return close(LinkFailure::kClosed, "the connection was lost");
        pipeline_.wrote(static_cast<std::size_t>(sent));
    }
    if (ngx_handle_write_event(connection_->write, 0) != NGX_OK ||
        ngx_handle_read_event(connection_->read, 0) != NGX_OK) {
        close(LinkFailure::kClosed, "the connection was lost");
    }
}

void RedisLink::writable() {
    if (connection_->close) return close(LinkFailure::kClosed, "the worker is exiting");
    if (state_ == State::kConnecting) return connected();
    flush();
}

void RedisLink::readable() {
    if (connection_->close) return close(LinkFailure::kClosed, "the worker is exiting");
    if (state_ == State::kConnecting) return connected();
    bool good = true;
    busy_ = true;
    try {
        for (int reads = 0; good && reads < kReadsATurn; ++reads) good = read_some();
    } catch (...) {
        // Who was to hear of what has come would wait for ever.
        busy_ = false;
        close(LinkFailure::kClosed, "the worker has no memory for what it says");
        throw;
    }
    busy_ = false;
    if (closing_) return close(close_failure_, close_reason_);
    if (good) {
        ngx_post_event(connection_->read, &ngx_posted_events);
        return;
    }
    mark_idle();
    if (ngx_handle_read_event(connection_->read, 0) != NGX_OK) {
        close(LinkFailure::kClosed, "the connection was lost");
    }
}

// False: there is nothing more now, or closing_ is set.
bool RedisLink::read_some() {
    std::array<char, kReadSize> buffer;
    const ssize_t got =
        connection_->recv(connection_, reinterpret_cast<u_char*>(buffer.data()), buffer.size());
    if (got == NGX_AGAIN) return false;
    if (got <= 0) {
        close(LinkFailure::kClosed,
              got == 0 ? "the server closed the connection" : "the connection was lost");
        return false;
    }
    heard_ = ngx_current_msec;
    if (!pipeline_.receive({buffer.data(), static_cast<std::size_t>(got)})) {
        close(LinkFailure::kProtocol, pipeline_.problem());
    }
    return !closing_;
}

void RedisLink::close(LinkFailure failure, std::string why) {
    if (busy_) {
        if (closing_) return;
        closing_ = true;
        pipeline_.stop();
        close_failure_ = failure;
        close_reason_ = std::move(why);
        return;
    }
    if (state_ == State::kDown) return;
    disconnect();
    const std::string reason = std::move(why);  // close_reason_ may be written by what follows
    pipeline_.fail(failure);
    owner_.link_down(*this, failure, reason);
}

void RedisLink::disconnect() noexcept {
    state_ = State::kDown;
    closing_ = false;
    asking_role_ = false;
    alarm_.stop();
    if (connection_ == nullptr) return;
    ngx_connection_t* const connection = std::exchange(connection_, nullptr);
    ngx_pool_t* const pool = connection->pool;
    if (connection->ssl != nullptr) {
        connection->ssl->no_wait_shutdown = 1;
        ngx_ssl_shutdown(connection);
    }
    ngx_close_connection(connection);
    if (pool != nullptr) ngx_destroy_pool(pool);
}

// An exiting worker closes idle connections: those that nobody waits on.
void RedisLink::mark_idle() noexcept {
    if (connection_ == nullptr) return;
    const bool idle = pipeline_.waiting() == 0 || (asking_role_ && pipeline_.waiting() == 1);
    connection_->idle = idle;
    if (idle && ngx_exiting && state_ == State::kReady) {
        connection_->close = 1;
        ngx_post_event(connection_->read, &ngx_posted_events);
    }
}

}  // namespace gate::nginx
