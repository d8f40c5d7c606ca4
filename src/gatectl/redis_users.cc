#include "gatectl/redis_users.h"

#include <set>

#include "base/json_text.h"
#include "gatectl/redis_change.h"
#include "gatectl/redis_records.h"
#include "redis/change.h"
#include "users/user_fields.h"

namespace gate::ctl {

namespace {

using redis::Reply;
using users::User;

constexpr std::string_view kPage = "500";

std::string of(std::string_view name) {
    return "user " + json_string(name) + ": ";
}

class RedisUserEdit final : public UserEdit {
public:
    explicit RedisUserEdit(RedisChange& change) : change_(change) {}

    Result<UserPtr, Refusal> find(std::string_view name) override {
        const std::string key = change_.keys().user(name);
        const auto replies = change_.look({key}, {command({"HGETALL", key})});
        if (!replies) return fail(replies.error());
        auto user = user_in(replies->front(), name);
        if (!user) return fail(Refusal{of(name) + user.error()});
        return *std::move(user);
    }

    void put(UserPtr user) override {
        const auto& keys = change_.keys();
        // Fields that the user has no more must go.
        change_.add(command({"DEL", keys.user(user->name)}));
        std::vector<std::string> words{"HSET", keys.user(user->name)};
        for (std::string& field : users::fields_of_user(*user)) words.push_back(std::move(field));
        change_.add(command(words));
        change_.add(command({"ZADD", keys.users(), std::to_string(user->created), user->name}));
        announce(user->name);
    }

    void remove(const std::string& name) override {
        const auto& keys = change_.keys();
        change_.add(command({"DEL", keys.user(name)}));
        change_.add(command({"ZREM", keys.users(), name}));
        announce(name);
    }

private:
    void announce(const std::string& name) {
        redis::Change change;
        change.kind = redis::Change::Kind::kUser;
        change.name = name;
        change_.announce(change);
    }

    RedisChange& change_;
};

}  // namespace

Result<UserPtr, std::string> user_in(const Reply& reply, std::string_view name) {
    if (!reply.is(Reply::Type::kArray) || reply.items.size() % 2 != 0) {
        return fail("the record cannot be read: " + reply_problem(reply));
    }
    if (reply.items.empty()) return UserPtr();
    std::vector<users::Field> fields;
    for (std::size_t i = 0; i < reply.items.size(); i += 2) {
        fields.emplace_back(reply.items[i].text, reply.items[i + 1].text);
    }
    auto user = users::user_of_fields(fields);
    if (!user) return fail("the record is broken: " + user.error());
    if (user->name != name) return fail(std::string("the record is that of another user"));
    return std::make_shared<const User>(*std::move(user));
}

Status<std::string> RedisUserStore::connect() {
    if (session_) return Done{};
    auto session = RedisSession::open(options_);
    if (!session) return fail(session.error());
    session_ = *std::move(session);
    return Done{};
}

Status<std::string> RedisUserStore::add_page(const std::vector<std::string>& names,
                                             UserListing& listing) {
    Commands questions;
    for (const std::string& name : names) {
        questions.push_back(command({"HGETALL", session_->keys().user(name)}));
    }
    const auto replies = session_->read(questions);
    if (!replies) return fail(replies.error());
    for (std::size_t i = 0; i < names.size(); ++i) {
        auto user = user_in((*replies)[i], names[i]);
        if (!user) {
            listing.problems.push_back(of(names[i]) + user.error());
        } else if (*user == nullptr) {
            listing.problems.push_back(of(names[i]) + "it is listed, and its record is missing");
        } else {
            listing.users.push_back(*std::move(user));
        }
    }
    return Done{};
}

Result<UserListing, std::string> RedisUserStore::list() {
    if (const auto done = connect(); !done) return fail(done.error());
    if (const auto good = check_epoch(*session_); !good) return fail(good.error());
    const std::string key = session_->keys().users();
    UserListing listing;
    std::set<std::string, std::less<>> seen;
    std::string cursor = "0";
    do {
        const auto replies = session_->read({command({"ZSCAN", key, cursor, "COUNT", kPage})});
        if (!replies) return fail(replies.error());
        const auto* items = redis::items_of_zscan(replies->front(), cursor);
        if (items == nullptr) {
            return fail(session_->endpoint().text() + ": the key \"" + key +
                        "\" cannot be read: " + reply_problem(replies->front()));
        }
        std::vector<std::string> names;
        for (std::size_t i = 0; i < items->size(); i += 2) {
            // ZSCAN may bring a member again while the set changes.
            if (seen.insert((*items)[i].text).second) names.push_back((*items)[i].text);
        }
        if (const auto done = add_page(names, listing); !done) return fail(done.error());
    } while (cursor != "0");
    sort_users(listing.users);
    return listing;
}

Result<UserPtr, std::string> RedisUserStore::find(std::string_view name) {
    if (const auto done = connect(); !done) return fail(done.error());
    const auto replies = session_->read({command({"HGETALL", session_->keys().user(name)})});
    if (!replies) return fail(replies.error());
    auto user = user_in(replies->front(), name);
    if (!user) return fail(of(name) + user.error());
    // Asked last: who was not found before it went was not there.
    if (const auto good = check_epoch(*session_); !good) return fail(good.error());
    return user;
}

Result<Outcome, std::string> RedisUserStore::change(const Edit& edit) {
    if (const auto done = connect(); !done) return fail(done.error());
    return change_redis(*session_, [&](RedisChange& change) {
        RedisUserEdit users(change);
        return edit(users);
    });
}

}  // namespace gate::ctl
