#include "gatectl/redis_session.h"

#include <poll.h>

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "redis/sentinel.h"

namespace gate::ctl {

namespace {

using redis::Endpoint;
using redis::ErrorKind;
using redis::Reply;
using redis::Role;

constexpr int kPause = 50;  // milliseconds until a fleet that is changing is asked again

Refusal refusal(std::string text, bool again = false) {
    return Refusal{std::move(text), again};
}

void add_problem(std::string& all, const std::string& one) {
    all += (all.empty() ? "" : "; ") + one;
}

}  // namespace

void pause_for(int milliseconds) {
    poll(nullptr, 0, milliseconds);
}

std::string reply_problem(const Reply& reply) {
    constexpr std::size_t kShown = 200;
    if (reply.is(Reply::Type::kError)) return "it answers " + log_escaped(reply.text, kShown);
    return "its answer is none to what was asked";
}

Result<std::unique_ptr<RedisSession>, std::string> RedisSession::open(RedisOptions options,
                                                                      Need need) {
    auto tls = TlsClient::make(options.tls);
    if (!tls) return fail(tls.error());
    std::unique_ptr<RedisSession> session(new RedisSession(std::move(options), need));
    session->tls_ = *std::move(tls);
    if (const auto done = session->locate(); !done) return fail(done.error());
    return session;
}

// ---- who has the store

// A fleet that is changing its mind has a master soon: again.
RedisSession::Opened RedisSession::open_server(const Endpoint& endpoint,
                                               const Deadline& deadline) const {
    auto connection = RedisConnection::open(endpoint, options_.login, tls_.get(), deadline);
    if (!connection) return fail(connection.error());
    if ((*connection)->role() == Role::kMaster) return *std::move(connection);
    if ((*connection)->role() == Role::kSentinel) {
        return fail(refusal(endpoint.text() + ": it is a sentinel; give --sentinel NAME"));
    }
    if (need_ == Need::kAny && options_.topology == RedisTopology::kServer) {
        return *std::move(connection);
    }
    return fail(refusal(endpoint.text() + ": it is a replica, no master", true));
}

RedisSession::Opened RedisSession::ask_sentinel(const Endpoint& sentinel,
                                                const Deadline& deadline) const {
    auto connection =
        RedisConnection::open(sentinel, options_.sentinel_login, tls_.get(), deadline);
    if (!connection) return fail(refusal(connection.error().text));
    if ((*connection)->role() != Role::kSentinel) {
        return fail(refusal(sentinel.text() + ": it is no sentinel"));
    }
    std::string question;
    redis::append_master_question(question, options_.master);
    const auto replies = (*connection)->exchange({question}, deadline);
    if (!replies) return fail(refusal(replies.error()));
    const auto master = redis::read_master(replies->front());
    if (!master) {
        return fail(refusal(sentinel.text() + ": it knows no master \"" +
                            log_escaped(options_.master, 100) + "\""));
    }
    return open_server(*master, deadline);
}

// In turn, each with its share of the time: one that hangs must not cost all of it.
RedisSession::Opened RedisSession::find_by_sentinels(const Deadline& deadline) const {
    Refusal problem;
    const std::size_t count = options_.servers.size();
    for (std::size_t i = 0; i < count; ++i) {
        auto found = ask_sentinel(options_.servers[i], deadline.share(count - i + 1));
        if (found) return found;
        add_problem(problem.text, found.error().text);
        problem.again = problem.again || found.error().again;
    }
    return fail(std::move(problem));
}

RedisSession::Opened RedisSession::ask_node(const Endpoint& node, const Deadline& deadline) const {
    auto connection = RedisConnection::open(node, options_.login, tls_.get(), deadline);
    if (!connection) return fail(refusal(connection.error().text));
    const auto replies = (*connection)->exchange({command({"CLUSTER", "SLOTS"})}, deadline);
    if (!replies) return fail(refusal(replies.error()));
    redis::SlotMap map;
    if (!map.assign(replies->front(), node)) {
        return fail(refusal(node.text() + ": " + reply_problem(replies->front())));
    }
    const Endpoint* const owner = map.owner(redis::slot_of(keys().epoch()));
    if (owner == nullptr) {
        return fail(refusal(node.text() + ": nobody serves the store's slot", true));
    }
    if (*owner == node && (*connection)->role() == Role::kMaster) return *std::move(connection);
    return open_server(*owner, deadline);
}

RedisSession::Opened RedisSession::find_in_cluster(const Deadline& deadline) const {
    Refusal problem;
    if (hint_) {
        auto found = open_server(*hint_, deadline.share(2));
        if (found) return found;
        problem = found.error();
    }
    const std::size_t count = options_.servers.size();
    for (std::size_t i = 0; i < count; ++i) {
        auto found = ask_node(options_.servers[i], deadline.share(count - i + 1));
        if (found) return found;
        add_problem(problem.text, found.error().text);
        problem.again = problem.again || found.error().again;
    }
    return fail(std::move(problem));
}

RedisSession::Opened RedisSession::find(const Deadline& deadline) const {
    switch (options_.topology) {
        case RedisTopology::kSentinel:
            return find_by_sentinels(deadline);
        case RedisTopology::kCluster:
            return find_in_cluster(deadline);
        case RedisTopology::kServer:
            break;
    }
    auto found = open_server(options_.servers.front(), deadline);
    // Nobody will make another one the master.
    if (!found) return fail(refusal(found.error().text));
    return found;
}

Status<std::string> RedisSession::locate() {
    const Deadline end = deadline();
    for (;;) {
        auto found = find(end);
        if (found) {
            owner_ = *std::move(found);
            return Done{};
        }
        hint_.reset();
        if (!found.error().again || end.left() == 0) return fail(found.error().text);
        pause_for(std::min(kPause, end.left()));
    }
}

void RedisSession::leave() noexcept {
    owner_.reset();
    target_.reset();
    ++serial_;
}

bool RedisSession::forget_target() noexcept {
    if (!target_) return false;
    target_.reset();
    ++serial_;
    return true;
}

// ---- redirections

std::optional<Refusal> RedisSession::redirected(const Reply& reply, const Endpoint& asked) {
    if (!reply.is(Reply::Type::kError)) return std::nullopt;
    const bool cluster = options_.topology == RedisTopology::kCluster;
    const Refusal again = refusal(asked.text() + ": " + reply_problem(reply), true);
    switch (redis::error_kind(reply.text)) {
        case ErrorKind::kMoved:
        case ErrorKind::kAsk: {
            if (!cluster) {
                return refusal(asked.text() + ": it belongs to a cluster; give --cluster");
            }
            const auto redirect = redis::read_redirect(reply.text, asked);
            if (!redirect) return refusal(asked.text() + ": " + reply_problem(reply));
            if (redirect->ask) {
                auto target = open_server(redirect->to, deadline());
                if (!target) return target.error();
                target_ = *std::move(target);
                ++serial_;
                return again;
            }
            leave();
            hint_ = redirect->to;
            return again;
        }
        case ErrorKind::kTryAgain:
        case ErrorKind::kClusterDown:
            leave();
            pause_for(kPause);
            return again;
        case ErrorKind::kReadOnly:
        case ErrorKind::kMasterDown:
        case ErrorKind::kLoading:
            if (options_.topology == RedisTopology::kServer) return std::nullopt;
            leave();
            pause_for(kPause);
            return again;
        default:
            return std::nullopt;
    }
}

Result<Reply, std::string> RedisSession::ask_elsewhere(const redis::Redirect& redirect,
                                                       const std::string& asked) {
    const auto connection = open_server(redirect.to, deadline());
    if (!connection) return fail(connection.error().text);
    auto replies = (*connection)->exchange({command({"ASKING"}), asked}, deadline());
    if (!replies) return fail(replies.error());
    return std::move((*replies)[1]);
}

// While a slot moves each of its keys is either here, or there already.
Status<std::string> RedisSession::follow_asks(const Commands& commands,
                                              std::vector<Reply>& replies) {
    if (options_.topology != RedisTopology::kCluster) return Done{};
    for (std::size_t i = 0; i < replies.size(); ++i) {
        if (!replies[i].is(Reply::Type::kError)) continue;
        const auto redirect = redis::read_redirect(replies[i].text, endpoint());
        if (!redirect || !redirect->ask) continue;
        auto reply = ask_elsewhere(*redirect, commands[i]);
        if (!reply) return fail(reply.error());
        replies[i] = *std::move(reply);
    }
    return Done{};
}

Result<std::vector<Reply>, std::string> RedisSession::read(const Commands& commands) {
    const Deadline end = deadline();
    for (;;) {
        if (!owner_) {
            if (const auto done = locate(); !done) return fail(done.error());
        }
        auto replies = owner_->exchange(commands, deadline());
        if (!replies) {
            leave();
            return fail(replies.error());
        }
        if (const auto done = follow_asks(commands, *replies); !done) return fail(done.error());
        std::optional<Refusal> elsewhere;
        const Endpoint asked = endpoint();
        for (const Reply& reply : *replies) {
            if ((elsewhere = redirected(reply, asked))) break;
        }
        if (!elsewhere) return replies;
        if (!elsewhere->again || end.left() == 0) return fail(elsewhere->text);
    }
}

// ---- transactions

Result<std::vector<Reply>, Refusal> RedisSession::ask(const Commands& commands, Form form,
                                                      int patience) {
    if (!owner_) {
        if (const auto done = locate(); !done) return fail(refusal(done.error()));
    }
    RedisConnection& connection = target_ ? *target_ : *owner_;
    // Where keys are arriving only who says ASKING is heard; within MULTI once is enough.
    Commands asked;
    for (const std::string& one : commands) {
        if (target_ && (form == Form::kSingles || asked.empty())) {
            asked.push_back(command({"ASKING"}));
        }
        asked.push_back(one);
    }
    const Endpoint server = connection.endpoint();
    auto replies = connection.exchange(asked, Deadline(options_.timeout + patience));
    if (!replies) {
        leave();
        return fail(refusal(replies.error()));
    }
    std::vector<Reply> answers;
    for (std::size_t i = 0; i < asked.size(); ++i) {
        const bool own =
            asked.size() == commands.size() || (form == Form::kMulti ? i > 0 : i % 2 == 1);
        if (own) answers.push_back(std::move((*replies)[i]));
    }
    for (const Reply& reply : answers) {
        if (auto elsewhere = redirected(reply, server)) return fail(*std::move(elsewhere));
    }
    return answers;
}

}  // namespace gate::ctl
