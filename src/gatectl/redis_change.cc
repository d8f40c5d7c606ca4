#include "gatectl/redis_change.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "redis/decimal.h"

namespace gate::ctl {

namespace {

using redis::Reply;

constexpr int kAttempts = 30;
constexpr int kLongestPause = 60;  // milliseconds between two of them
constexpr std::int64_t kKept = 7 * 86400;

// Many that were too slow together must not come back together.
int pause_before(int attempt) {
    std::array<std::uint8_t, 1> random{};
    static_cast<void>(crypto::random_bytes(random));
    const int most = std::min(kLongestPause, 4 << std::min(attempt, 4));
    return 1 + random[0] % most;
}

Refusal refusal(std::string text) {
    return Refusal{std::move(text), false};
}

}  // namespace

std::string no_epoch(const redis::StoreKeys& keys) {
    return "the key \"" + keys.epoch() +
           "\" is missing: the store is empty or was never set up: restore it, or \"gatectl store "
           "init\"";
}

Result<std::vector<Reply>, Refusal> RedisChange::look(const std::vector<std::string>& watched,
                                                      const Commands& questions) {
    // The epoch is always there: while keys move to another node Redis answers for several keys
    // together only where it has all of them, and never that one of them does not exist.
    std::vector<std::string> watch{"WATCH", keys().epoch()};
    watch.insert(watch.end(), watched.begin(), watched.end());
    Commands commands{command(watch)};
    commands.insert(commands.end(), questions.begin(), questions.end());
    auto replies = session_.ask(commands, RedisSession::Form::kSingles);
    if (!replies) return replies;
    for (const Reply& reply : *replies) {
        if (!reply.is(Reply::Type::kError)) continue;
        return fail(refusal(session_.endpoint().text() + ": " + reply_problem(reply)));
    }
    replies->erase(replies->begin());
    return replies;
}

void RedisChange::announce(const redis::Change& change) {
    // By the server's clock: ours may be wrong by more than a week.
    const std::int64_t oldest = std::max<std::int64_t>(server_time_ - kKept, 0) * 1000;
    std::vector<std::string> words{"XADD", keys().log(), "MINID", "~", std::to_string(oldest), "*"};
    for (std::string& field : redis::fields_of(change)) words.push_back(std::move(field));
    add(command(words));
}

// From the first look to EXEC, as often as it takes.
class ChangeRunner {
public:
    ChangeRunner(RedisSession& session, const ChangeBody& body, const ChangeEnd& end)
        : session_(session), body_(body), end_(end) {}

    Result<Outcome, std::string> run() {
        const Deadline deadline = session_.deadline();
        for (int attempt = 0;; ++attempt) {
            auto done = try_once();
            if (done) return *std::move(done);
            if (!done.error().again) return fail(done.error().text);
            if (attempt >= kAttempts || deadline.left() == 0) {
                return fail("nothing was changed: " + done.error().text);
            }
            pause_for(pause_before(attempt));
        }
    }

private:
    // Sorts of keys that EXEC would stumble over half-way.
    struct Expected {
        std::string key;
        std::string_view type;
    };

    // Not watched: nobody makes a set a stream while the store is in use.
    Status<Refusal> check_types() const {
        const auto& keys = session_.keys();
        const std::array<Expected, 4> expected{{{keys.keys(), "zset"},
                                                {keys.users(), "zset"},
                                                {keys.revoked(), "zset"},
                                                {keys.log(), "stream"}}};
        Commands questions;
        for (const Expected& one : expected) questions.push_back(command({"TYPE", one.key}));
        const auto replies = session_.read(questions);
        if (!replies) return fail(refusal(replies.error()));
        for (std::size_t i = 0; i < expected.size(); ++i) {
            const Reply& type = (*replies)[i];
            if (type.is_status("none") || type.is_status(expected[i].type)) continue;
            const std::string what = type.is(Reply::Type::kStatus)
                                         ? "is a " + log_escaped(type.text, 20) + " and no " +
                                               std::string(expected[i].type)
                                         : "cannot be examined: " + reply_problem(type);
            return fail(refusal("the key \"" + expected[i].key + "\" " + what));
        }
        return Done{};
    }

    Status<Refusal> begin(RedisChange& change) const {
        const auto& keys = session_.keys();
        const auto replies = change.look({}, {command({"GET", keys.epoch()}), command({"TIME"})});
        if (!replies) return fail(replies.error());
        const Reply& epoch = (*replies)[0];
        if (!epoch.is(Reply::Type::kString) || epoch.text.empty()) {
            // Where keys are arriving it may be on its way.
            if (session_.forget_target()) return fail(Refusal{no_epoch(keys), true});
            return fail(refusal(no_epoch(keys)));
        }
        const Reply& time = (*replies)[1];
        const auto seconds = time.is(Reply::Type::kArray) && !time.items.empty()
                                 ? redis::parse_decimal(time.items[0].text)
                                 : std::nullopt;
        if (!seconds) return fail(refusal(session_.endpoint().text() + ": TIME: no time"));
        change.server_time_ = static_cast<std::int64_t>(*seconds);
        return Done{};
    }

    Result<Outcome, Refusal> try_once() {
        RedisChange change(session_);
        if (const auto good = check_types(); !good) return fail(good.error());
        if (const auto begun = begin(change); !begun) return fail(begun.error());
        // The connection on which we watch is the one that begin() made, or found.
        const std::uint64_t watching = session_.serial();
        if (const auto done = body_(change); !done) {
            drop_watches(watching);
            return fail(done.error());
        }
        if (session_.serial() != watching) return fail(Refusal{"its connection was lost", true});
        Outcome outcome;
        if (change.commands_.empty()) {
            drop_watches(watching);
            return outcome;
        }
        if (const auto done = commit(change); !done) return fail(done.error());
        if (end_) end_(change.results_);
        wait_for_replicas(session_, outcome);
        return outcome;
    }

    void drop_watches(std::uint64_t watching) const {
        if (session_.serial() != watching) return;
        static_cast<void>(session_.ask({command({"UNWATCH"})}, RedisSession::Form::kSingles));
    }

    Status<Refusal> commit(RedisChange& change) const {
        Commands commands{command({"MULTI"})};
        commands.insert(commands.end(), change.commands_.begin(), change.commands_.end());
        commands.push_back(command({"EXEC"}));
        const auto replies = session_.ask(commands, RedisSession::Form::kMulti);
        if (!replies && replies.error().again) return fail(replies.error());
        if (!replies) {
            return fail(refusal(replies.error().text +
                                ": whether the change was made is not known; look before you "
                                "repeat it"));
        }
        const Reply& done = replies->back();
        if (done.is(Reply::Type::kNil)) {
            return fail(Refusal{"others were changing the same at the same time", true});
        }
        const std::string server = session_.endpoint().text() + ": ";
        if (!done.is(Reply::Type::kArray)) {
            // The first error says why EXEC did nothing.
            for (const Reply& reply : *replies) {
                if (reply.is(Reply::Type::kError)) {
                    return fail(refusal(server + reply_problem(reply)));
                }
            }
            return fail(refusal(server + reply_problem(done)));
        }
        for (const Reply& reply : done.items) {
            if (!reply.is(Reply::Type::kError)) continue;
            return fail(
                refusal(server + "only a part of the change was made: " + reply_problem(reply)));
        }
        change.results_ = done.items;
        return Done{};
    }

    RedisSession& session_;
    const ChangeBody& body_;
    const ChangeEnd& end_;
};

void wait_for_replicas(RedisSession& session, Outcome& outcome) {
    const auto wanted = session.options().wait;
    if (!wanted) return;
    const std::string problem = "the change is made, but ";
    // Redis looks at its clock ten times a second.
    constexpr int kLate = 1000;
    const std::string patience = std::to_string(session.options().timeout);
    const auto replies = session.ask({command({"WAIT", std::to_string(*wanted), patience})},
                                     RedisSession::Form::kSingles, kLate);
    if (replies && replies->front().is(Reply::Type::kInteger)) {
        const std::int64_t reached = replies->front().integer;
        if (reached >= static_cast<std::int64_t>(*wanted)) return;
        outcome.notes.push_back(problem + "only on " + std::to_string(reached) + " of " +
                                std::to_string(*wanted) + " replicas");
    } else {
        outcome.notes.push_back(problem + "on how many replicas is not known: " +
                                (replies ? reply_problem(replies->front()) : replies.error().text));
    }
    outcome.status = kRefused;
}

Result<Outcome, std::string> change_redis(RedisSession& session, const ChangeBody& body,
                                          const ChangeEnd& end) {
    return ChangeRunner(session, body, end).run();
}

}  // namespace gate::ctl
