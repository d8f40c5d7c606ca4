#include "gatectl/redis_connection.h"

#include <utility>

#include "base/bytes.h"
#include "redis/command.h"

namespace gate::ctl {

namespace {

using redis::Reply;

// A page of a large set, or many records at once.
constexpr redis::ReplyLimits kLimits{
    .octets = std::size_t{64} << 20, .elements = std::size_t{1} << 20, .depth = 6};

class Waiter final : public redis::Caller {
public:
    void answered(std::vector<Reply> replies) override {
        replies_ = std::move(replies);
        answered_ = true;
    }
    void failed(redis::LinkFailure /*failure*/) override {}

    bool is_answered() const noexcept { return answered_; }
    std::vector<Reply> take() { return std::move(replies_); }

private:
    std::vector<Reply> replies_;
    bool answered_ = false;
};

}  // namespace

std::string command(std::initializer_list<std::string_view> arguments) {
    std::string text;
    redis::append_command(text, arguments);
    return text;
}

std::string command(const std::vector<std::string>& arguments) {
    const std::vector<std::string_view> views(arguments.begin(), arguments.end());
    std::string text;
    redis::append_command(text, views);
    return text;
}

RedisConnection::RedisConnection(redis::Endpoint endpoint, RedisWire wire)
    : endpoint_(std::move(endpoint)), wire_(std::move(wire)), pipeline_(kLimits) {}

Result<std::unique_ptr<RedisConnection>, Refusal> RedisConnection::open(
    const redis::Endpoint& endpoint, const redis::Login& login, const TlsClient* tls,
    const Deadline& deadline) {
    auto wire = RedisWire::connect(endpoint, tls, deadline);
    if (!wire) return fail(Refusal{endpoint.text() + ": " + wire.error(), true});
    std::unique_ptr<RedisConnection> connection(new RedisConnection(endpoint, *std::move(wire)));
    if (const auto done = connection->log_in(login, deadline); !done) return fail(done.error());
    return connection;
}

Status<Refusal> RedisConnection::log_in(const redis::Login& login, const Deadline& deadline) {
    std::string commands;
    const std::size_t count = redis::append_login(commands, login);
    const auto replies = talk(commands, count, deadline);
    wipe(commands.data(), commands.size());
    if (!replies) return fail(Refusal{replies.error(), true});
    const auto role = redis::read_login(login, *replies);
    if (!role) {
        const redis::ErrorKind kind = role.error().kind;
        const bool passes = kind == redis::ErrorKind::kLoading ||
                            kind == redis::ErrorKind::kMasterDown ||
                            kind == redis::ErrorKind::kBusy;
        return fail(Refusal{endpoint_.text() + ": " + role.error().text, passes});
    }
    role_ = *role;
    return Done{};
}

Status<std::string> RedisConnection::move_octets(const Deadline& deadline) {
    while (!pipeline_.output().empty()) {
        const auto sent = wire_.write(pipeline_.output(), deadline);
        if (!sent) return fail(sent.error());
        pipeline_.wrote(*sent);
    }
    const auto octets = wire_.read(deadline);
    if (!octets) return fail(octets.error());
    if (pipeline_.receive(*octets)) return Done{};
    return fail("it does not talk as Redis does: " + pipeline_.problem());
}

Result<std::vector<Reply>, std::string> RedisConnection::talk(std::string_view commands,
                                                              std::size_t count,
                                                              const Deadline& deadline) {
    Waiter waiter;
    pipeline_.send(waiter, 0, commands, count);
    while (!waiter.is_answered()) {
        if (const auto moved = move_octets(deadline); !moved) {
            pipeline_.fail(redis::LinkFailure::kClosed);
            return fail(endpoint_.text() + ": " + moved.error());
        }
    }
    return waiter.take();
}

Result<std::vector<Reply>, std::string> RedisConnection::exchange(const Commands& commands,
                                                                  const Deadline& deadline) {
    if (commands.empty()) return std::vector<Reply>();
    std::string text;
    for (const std::string& one : commands) text += one;
    return talk(text, commands.size(), deadline);
}

}  // namespace gate::ctl
