#include "gatectl/redis_revocations.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "base/bytes.h"
#include "base/json_object.h"
#include "cache/revocation_item.h"
#include "gatectl/redis_change.h"
#include "gatectl/redis_records.h"

namespace gate::ctl {

namespace {

using cache::JournalEntry;
using redis::Reply;

constexpr std::string_view kPage = "1000";
constexpr std::size_t kShown = 200;  // octets of an item that is none

std::string item_of(const JournalEntry& entry) {
    return cache::format_item({entry.kind, entry.issuer, entry.value, entry.issued_until});
}

Damage damage_of(const std::string& key, std::string_view item, const std::string& problem) {
    const std::string shown = log_escaped(item, kShown);
    JsonObject object;
    object.text("item", shown).text("problem", problem);
    return {"\"" + shown + "\" in \"" + key + "\": " + problem, object.str()};
}

}  // namespace

Result<JournalEntry, std::string> entry_of_item(std::string_view item, std::string_view score) {
    auto parsed = cache::parse_item(item);
    if (!parsed) return fail(std::string("is nothing that can be revoked"));
    JournalEntry entry;
    entry.kind = parsed->kind;
    entry.issuer = std::move(parsed->issuer);
    entry.value = std::move(parsed->value);
    entry.issued_until = parsed->issued_until;
    if (score == "inf") return entry;
    std::int64_t seconds = 0;
    const char* const end = score.data() + score.size();
    const auto [at, error] = std::from_chars(score.data(), end, seconds);
    if (error != std::errc() || at != end) {
        return fail(std::string("its score is neither whole seconds nor +inf"));
    }
    entry.expires = saturated(seconds);
    return entry;
}

Status<std::string> RedisRevocations::connect() {
    if (session_) return Done{};
    auto session = RedisSession::open(options_);
    if (!session) return fail(session.error());
    session_ = *std::move(session);
    return Done{};
}

std::string RedisRevocations::size_problem(const JournalEntry& entry) const {
    const std::size_t size = item_of(entry).size();
    if (size <= cache::kMaxRevocationItem) return {};
    return "issuer and value are too long: an item of " + std::to_string(size) +
           " octets where at most " + std::to_string(cache::kMaxRevocationItem) + " fit";
}

// GT: an entry that is there already is never forgotten earlier than it would have been.
Result<Outcome, std::string> RedisRevocations::add(const JournalEntry& entry) {
    if (const auto done = connect(); !done) return fail(done.error());
    redis::Change change;
    change.kind = redis::Change::Kind::kRevoked;
    change.item = item_of(entry);
    const bool forgotten = entry.expires != cache::kNeverForgotten;
    if (forgotten) change.forget_at = entry.expires;
    const std::string score = forgotten ? std::to_string(entry.expires) : "+inf";
    return change_redis(*session_, [&](RedisChange& edit) -> Status<Refusal> {
        edit.add(command({"ZADD", edit.keys().revoked(), "GT", score, change.item}));
        edit.announce(change);
        return Done{};
    });
}

Result<std::vector<Damage>, std::string> RedisRevocations::read(const Visit& visit) {
    if (const auto done = connect(); !done) return fail(done.error());
    if (const auto good = check_epoch(*session_); !good) return fail(good.error());
    const std::string key = session_->keys().revoked();
    std::vector<Damage> damage;
    std::set<std::string, std::less<>> seen;
    std::string cursor = "0";
    do {
        const auto replies = session_->read({command({"ZSCAN", key, cursor, "COUNT", kPage})});
        if (!replies) return fail(replies.error());
        const Reply& page = replies->front();
        if (!page.is(Reply::Type::kArray) || page.items.size() != 2 ||
            page.items[1].items.size() % 2 != 0) {
            return fail("the key \"" + key + "\" cannot be read: " + reply_problem(page));
        }
        cursor = page.items[0].text;
        const std::vector<Reply>& items = page.items[1].items;
        for (std::size_t i = 0; i < items.size(); i += 2) {
            // ZSCAN may bring a member again while the set changes.
            if (!seen.insert(items[i].text).second) continue;
            const auto entry = entry_of_item(items[i].text, items[i + 1].text);
            if (entry) {
                visit(*entry);
            } else {
                damage.push_back(damage_of(key, items[i].text, entry.error()));
            }
        }
    } while (cursor != "0");
    return damage;
}

// By whichever clock is behind: one that is ahead would bring back what is revoked.
Result<Compacted, std::string> RedisRevocations::compact(Seconds now) {
    if (const auto done = connect(); !done) return fail(done.error());
    Compacted compacted;
    auto outcome = change_redis(
        *session_,
        [&](RedisChange& edit) -> Status<Refusal> {
            const Seconds until = std::min<Seconds>(now, edit.server_time());
            edit.add(command(
                {"ZREMRANGEBYSCORE", edit.keys().revoked(), "-inf", std::to_string(until)}));
            return Done{};
        },
        [&](const std::vector<Reply>& results) {
            compacted.count = static_cast<std::size_t>(results.front().integer);
        });
    if (!outcome) return fail(outcome.error());
    compacted.outcome = *std::move(outcome);
    return compacted;
}

}  // namespace gate::ctl
