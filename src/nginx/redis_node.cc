#include "nginx/redis_node.h"

#include <algorithm>
#include <utility>

namespace gate::nginx {

namespace {

using redis::LinkFailure;

constexpr std::size_t kMostProblems = 8;
constexpr ngx_msec_t kSteady = 5000;  // up for so long: the next problem is a new one

}  // namespace

RedisNode::RedisNode(const RedisConf& conf, Owner& owner, RedisServer server,
                     redis::ReplyLimits limits)
    : conf_(conf),
      owner_(owner),
      server_(std::move(server)),
      password_(conf.password),
      link_(conf, *this, limits),
      backoff_(conf.backoff),
      retry_(call_member<RedisNode, &RedisNode::connect>, this),
      news_(kMostProblems) {}

RedisNode::~RedisNode() {
    if (looking_up_ && redis_names() != nullptr) redis_names()->forget(*this);
}

bool RedisNode::may_try() const noexcept {
    return backoff_.delay(ngx_current_msec, 0) == 0;
}

void RedisNode::connect() {
    if (!down()) return;
    const auto delay = backoff_.delay(ngx_current_msec, static_cast<std::uint64_t>(ngx_random()));
    if (delay == 0) return open();
    if (!retry_.is_set()) retry_.set(delay);
}

void RedisNode::open() {
    retry_.stop();
    backoff_.tried(ngx_current_msec);
    if (std::exchange(refused_, false)) read_password_again();
    looking_up_ = look_up();
    if (!looking_up_) open_link();
}

bool RedisNode::look_up() {
    RedisNames* const names = redis_names();
    return names != nullptr && server_.endpoint.has_name() &&
           !names->look_up(*this, server_.endpoint.host, conf_.connect_timeout);
}

void RedisNode::looked_up() {
    looking_up_ = false;
    open_link();
    if (down()) lost(LinkFailure::kClosed);
}

void RedisNode::open_link() {
    if (redis_names() != nullptr && server_.endpoint.has_name()) {
        const auto& known = redis_names()->addresses(server_.endpoint.host);
        if (!known.empty()) server_.addresses = with_port(known, server_.endpoint.port);
    }
    if (server_.addresses.empty()) {
        backoff_.failed();
        if (kept_ && !retry_.is_set()) retry_.set(conf_.backoff);
        return report(redis_names() != nullptr
                          ? "its name has no address"
                          : "its name has no address; write \"resolver ADDRESS;\" in http, or "
                            "have addresses announced");
    }
    const Address& address = server_.addresses[next_address_ % server_.addresses.size()];
    link_.open(address, server_.endpoint.host,
               {.user = conf_.user,
                .password = password_,
                .db = conf_.db,
                .client_name = "nginx-gate-" + std::to_string(ngx_pid)});
}

bool RedisNode::send(redis::Caller& caller, std::string_view commands, std::size_t count) {
    if (link_.ready()) {
        link_.send(caller, commands, count);
        return true;
    }
    if (down()) {
        if (!may_try()) return false;
        open();
        if (down()) return false;
    }
    queue_.push_back({&caller, std::string(commands), count});
    return true;
}

void RedisNode::forget(const redis::Caller& caller) noexcept {
    link_.forget(caller);
    std::erase_if(queue_, [&](const Queued& queued) { return queued.caller == &caller; });
}

void RedisNode::leave(LinkFailure failure, std::string why) {
    link_.close(failure, std::move(why));
}

std::string RedisNode::problem() const {
    return ngx_current_msec - problem_at_ < News::kMinute ? problem_ : std::string();
}

void RedisNode::complain(const std::string& error) {
    report("it answers " + log_escaped(error, 100));
}

void RedisNode::retire() {
    kept_ = false;
    retry_.stop();
    if (std::exchange(looking_up_, false)) {
        redis_names()->forget(*this);
        return lost(LinkFailure::kClosed);
    }
    retiring_ = link_.state() != RedisLink::State::kDown;
    link_.close(LinkFailure::kClosed, "another server is asked now");
}

void RedisNode::link_up(RedisLink& link, redis::Role role) {
    std::string why;
    if (!owner_.accepts(*this, role, why)) return link.close(LinkFailure::kClosed, std::move(why));
    backoff_.succeeded();
    corrected_ = false;
    if (!news_.empty() && !std::exchange(told_up_, true)) {
        ngx_str_t name = str(conf_.name);
        ngx_str_t peer = str(link.peer());
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0, "gate_redis \"%V\": %V answers again",
                      &name, &peer);
    }
    for (const Queued& queued : std::exchange(queue_, {})) {
        link_.send(*queued.caller, queued.commands, queued.count);
    }
    up_ = true;
    up_at_ = ngx_current_msec;
    owner_.node_up(*this);
}

void RedisNode::link_down(RedisLink& link, LinkFailure failure, const std::string& why) {
    const bool wrong_password =
        !retiring_ && !ngx_exiting && link.login_problem() == redis::ErrorKind::kAuthentication;
    // A worker that takes the place of another one was told the password of the last reload. Who
    // waits goes on waiting.
    if (wrong_password && !std::exchange(corrected_, true) && read_password_again()) return open();
    // The next try goes to the next address of the name.
    ++next_address_;
    if (up_ && ngx_current_msec - up_at_ >= kSteady) news_.forget();
    if (!std::exchange(retiring_, false) && !ngx_exiting) {
        backoff_.failed();
        report(why);
        refused_ = wrong_password;
    }
    lost(failure);
}

void RedisNode::lost(LinkFailure failure) {
    // Those that are called may leave the queue for others that are still in it.
    while (!queue_.empty()) {
        redis::Caller* const caller = queue_.front().caller;
        queue_.erase(queue_.begin());
        caller->failed(failure);
    }
    owner_.node_down(*this, std::exchange(up_, false));
    if (kept_ && !ngx_exiting) connect();
}

// The password may have been changed where the server is, and here in the file. True: the file has
// another one.
bool RedisNode::read_password_again() {
    if (conf_.password_file.empty()) return false;
    auto password = read_password(conf_.password_file);
    if (password) {
        const bool other = (*password)->text() != password_->text();
        password_ = *std::move(password);
        unreadable_reported_ = false;
        return other;
    }
    if (std::exchange(unreadable_reported_, true)) return false;
    ngx_str_t name = str(conf_.name);
    ngx_str_t path = str(conf_.password_file);
    ngx_str_t text = str(password.error());
    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "gate_redis \"%V\": password_file \"%V\" cannot be read again: %V; the last good "
                  "one is used",
                  &name, &path, &text);
    return false;
}

// Each reason once when it begins, for the first one may only be what the others led to; then once
// a minute.
void RedisNode::report(const std::string& why) {
    problem_ = why;
    problem_at_ = ngx_current_msec;
    if (!news_.is_news(why)) return;
    told_up_ = false;
    ngx_str_t name = str(conf_.name);
    const std::string peer = server_.endpoint.text();
    ngx_str_t server = str(peer);
    ngx_str_t text = str(problem_);
    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "gate_redis \"%V\": %V cannot be used: %V; what needs it is refused with 503",
                  &name, &server, &text);
}

}  // namespace gate::nginx
