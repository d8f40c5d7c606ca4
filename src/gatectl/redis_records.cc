#include "gatectl/redis_records.h"

#include <algorithm>
#include <set>
#include <utility>

#include "apikey/record_fields.h"
#include "base/bytes.h"
#include "base/json_text.h"
#include "redis/decimal.h"

namespace gate::ctl {

namespace {

using apikey::Record;
using redis::Reply;

constexpr std::string_view kPage = "500";
constexpr std::size_t kShown = 100;  // octets of what should be an id

bool is_digest(std::string_view text) noexcept {
    return text.size() == 64 && std::ranges::all_of(text, [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

std::string shown(std::string_view id) {
    return "key \"" + log_escaped(id, kShown) + "\": ";
}

Failure<std::string> unreadable(const RedisSession& session, const std::string& key,
                                const Reply& reply) {
    return fail(session.endpoint().text() + ": the key \"" + key +
                "\" cannot be read: " + reply_problem(reply));
}

// Ids of a page, and the cursor of the next one.
Result<std::vector<std::string>, std::string> scan_page(RedisSession& session,
                                                        std::string& cursor) {
    const std::string key = session.keys().keys();
    const auto replies = session.read({command({"ZSCAN", key, cursor, "COUNT", kPage})});
    if (!replies) return fail(replies.error());
    const Reply& page = replies->front();
    if (!page.is(Reply::Type::kArray) || page.items.size() != 2 ||
        !page.items[1].is(Reply::Type::kArray) || page.items[1].items.size() % 2 != 0) {
        return unreadable(session, key, page);
    }
    cursor = page.items[0].text;
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < page.items[1].items.size(); i += 2) {
        ids.push_back(page.items[1].items[i].text);
    }
    return ids;
}

void add_uses(KeyPage& page, const std::vector<std::string>& ids, const Reply& uses) {
    if (!uses.is(Reply::Type::kArray) || uses.items.size() != ids.size()) return;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        if (const auto seconds = redis::parse_decimal(uses.items[i].text)) {
            page.used[ids[i]] = static_cast<Seconds>(*seconds);
        }
    }
}

// The records of these ids, and when they were used.
Result<KeyPage, std::string> read_page(RedisSession& session, const std::vector<std::string>& ids) {
    KeyPage page;
    if (ids.empty()) return page;
    const auto& keys = session.keys();
    Commands questions;
    for (const std::string& id : ids) questions.push_back(command({"GET", keys.key_id(id)}));
    std::vector<std::string> uses{"HMGET", keys.used()};
    uses.insert(uses.end(), ids.begin(), ids.end());
    questions.push_back(command(uses));
    const auto digests = session.read(questions);
    if (!digests) return fail(digests.error());
    add_uses(page, ids, digests->back());

    std::vector<std::pair<std::string, std::string>> found;  // id, digest
    questions.clear();
    for (std::size_t i = 0; i < ids.size(); ++i) {
        std::string digest = digest_in((*digests)[i]);
        if (digest.empty()) {
            page.problems.push_back(shown(ids[i]) + "it is listed, and no digest stands at \"" +
                                    log_escaped(keys.key_id(ids[i]), 2 * kShown) + "\"");
            continue;
        }
        questions.push_back(command({"HGETALL", keys.key(digest)}));
        found.emplace_back(ids[i], std::move(digest));
    }
    const auto hashes = session.read(questions);
    if (!hashes) return fail(hashes.error());
    for (std::size_t i = 0; i < found.size(); ++i) {
        const auto& [id, digest] = found[i];
        auto record = record_in((*hashes)[i], digest);
        if (!record) {
            page.problems.push_back(shown(id) + record.error());
        } else if (*record == nullptr) {
            page.problems.push_back(shown(id) + "its record is missing");
        } else if ((*record)->id != id) {
            page.problems.push_back(shown(id) + "its record is that of key \"" +
                                    log_escaped((*record)->id, kShown) + "\"");
        } else {
            page.records.push_back(*std::move(record));
        }
    }
    return page;
}

}  // namespace

Result<RecordPtr, std::string> record_in(const Reply& reply, std::string_view digest) {
    if (!reply.is(Reply::Type::kArray) || reply.items.size() % 2 != 0) {
        return fail("its record cannot be read: " + reply_problem(reply));
    }
    if (reply.items.empty()) return RecordPtr();
    std::vector<apikey::Field> fields;
    for (std::size_t i = 0; i < reply.items.size(); i += 2) {
        fields.emplace_back(reply.items[i].text, reply.items[i + 1].text);
    }
    auto record = apikey::record_of_fields(fields);
    if (!record) return fail("its record is broken: " + record.error());
    if (record->digest != digest) return fail(std::string("its record has another digest"));
    return std::make_shared<const Record>(*std::move(record));
}

std::string digest_in(const Reply& reply) {
    return reply.is(Reply::Type::kString) && is_digest(reply.text) ? reply.text : std::string();
}

Status<std::string> each_key_page(RedisSession& session,
                                  const std::function<bool(KeyPage&&)>& take) {
    std::set<std::string, std::less<>> seen;
    std::string cursor = "0";
    do {
        auto ids = scan_page(session, cursor);
        if (!ids) return fail(ids.error());
        // ZSCAN may bring a member again while the set changes.
        std::erase_if(*ids, [&](const std::string& id) { return !seen.insert(id).second; });
        auto page = read_page(session, *ids);
        if (!page) return fail(page.error());
        if (!take(*std::move(page))) break;
    } while (cursor != "0");
    return Done{};
}

Result<KeyPage, std::string> keys_named(RedisSession& session, std::string_view name) {
    KeyPage found;
    const auto done = each_key_page(session, [&](KeyPage&& page) {
        for (RecordPtr& record : page.records) {
            if (record->name != name) continue;
            if (const auto used = page.used.find(record->id); used != page.used.end()) {
                found.used.insert(*used);
            }
            found.records.push_back(std::move(record));
        }
        return true;
    });
    if (!done) return fail(done.error());
    return found;
}

void put_record(RedisChange& change, const Record& record, const Record* before) {
    const auto& keys = change.keys();
    if (before != nullptr && before->digest != record.digest) {
        change.add(command({"DEL", keys.key(before->digest)}));
        change.announce({{}, redis::Change::Kind::kKey, {}, {}, before->digest, before->id});
    }
    // Fields that the record has no more must go.
    change.add(command({"DEL", keys.key(record.digest)}));
    std::vector<std::string> words{"HSET", keys.key(record.digest)};
    for (std::string& field : apikey::fields_of_record(record)) words.push_back(std::move(field));
    change.add(command(words));
    change.add(command({"SET", keys.key_id(record.id), record.digest}));
    change.add(command({"ZADD", keys.keys(), std::to_string(record.created), record.id}));
    change.announce({{}, redis::Change::Kind::kKey, {}, {}, record.digest, record.id});
}

Status<std::string> check_epoch(RedisSession& session) {
    const auto replies = session.read({command({"GET", session.keys().epoch()})});
    if (!replies) return fail(replies.error());
    const Reply& epoch = replies->front();
    if (epoch.is(Reply::Type::kString) && !epoch.text.empty()) return Done{};
    if (epoch.is(Reply::Type::kNil) || epoch.is(Reply::Type::kString)) {
        return fail(no_epoch(session.keys()));
    }
    return unreadable(session, session.keys().epoch(), epoch);
}

}  // namespace gate::ctl
