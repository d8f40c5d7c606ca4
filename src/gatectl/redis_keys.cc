#include "gatectl/redis_keys.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "gatectl/redis_change.h"
#include "gatectl/redis_records.h"
#include "redis/decimal.h"

namespace gate::ctl {

namespace {

using apikey::Record;
using redis::Reply;

constexpr std::string_view kGone = "its record is missing; see \"gatectl store check\"";

class RedisKeyEdit final : public KeyEdit {
public:
    explicit RedisKeyEdit(RedisChange& change) : change_(change) {}

    Result<RecordPtr, Refusal> find(std::string_view wanted) override {
        auto record = watched(wanted);
        if (!record || *record != nullptr) return record;
        // Which keys there are must stay so, or the name may be another's, too.
        const auto watching = change_.look({change_.keys().keys()}, {});
        if (!watching) return fail(watching.error());
        const auto page = keys_named(change_.session(), wanted);
        if (!page) return fail(Refusal{page.error()});
        const auto place = find_record(page->records, wanted);
        if (!place) return fail(Refusal{place.error()});
        record = watched(page->records[*place]->id);
        if (record && *record == nullptr) return fail(Refusal{"the key was removed", true});
        return record;
    }

    Result<bool, Refusal> is_free(const Record& record) override {
        const std::string id = change_.keys().key_id(record.id);
        const std::string key = change_.keys().key(record.digest);
        const auto replies =
            change_.look({id, key}, {command({"EXISTS", id}), command({"EXISTS", key})});
        if (!replies) return fail(replies.error());
        return std::ranges::all_of(*replies, [](const Reply& reply) {
            return reply.is(Reply::Type::kInteger) && reply.integer == 0;
        });
    }

    void put(RecordPtr record) override {
        const auto before = seen_.find(record->id);
        put_record(change_, *record, before != seen_.end() ? before->second.get() : nullptr);
    }

private:
    // nullptr: no key has that id.
    Result<RecordPtr, Refusal> watched(std::string_view id) {
        const std::string id_key = change_.keys().key_id(id);
        const auto digests = change_.look({id_key}, {command({"GET", id_key})});
        if (!digests) return fail(digests.error());
        const std::string digest = digest_in(digests->front());
        if (digest.empty()) return RecordPtr();
        const std::string key = change_.keys().key(digest);
        const auto hashes = change_.look({key}, {command({"HGETALL", key})});
        if (!hashes) return fail(hashes.error());
        auto record = record_in(hashes->front(), digest);
        const std::string name = "key " + std::string(id) + ": ";
        if (!record) return fail(Refusal{name + record.error()});
        if (*record == nullptr) return fail(Refusal{name + std::string(kGone)});
        if ((*record)->id != id) return fail(Refusal{name + "its record is that of another key"});
        seen_[(*record)->id] = *record;
        return *std::move(record);
    }

    RedisChange& change_;
    std::map<std::string, RecordPtr, std::less<>> seen_;
};

bool is_older(const RecordPtr& a, const RecordPtr& b) {
    return std::tie(a->created, a->id) < std::tie(b->created, b->id);
}

}  // namespace

Status<std::string> RedisKeyStore::connect() {
    if (session_) return Done{};
    auto session = RedisSession::open(options_);
    if (!session) return fail(session.error());
    session_ = *std::move(session);
    return Done{};
}

Result<KeyListing, std::string> RedisKeyStore::list() {
    if (const auto done = connect(); !done) return fail(done.error());
    if (const auto good = check_epoch(*session_); !good) return fail(good.error());
    KeyListing listing;
    listing.tells_use = true;
    const auto done = each_key_page(*session_, [&](KeyPage&& page) {
        std::ranges::move(page.records, std::back_inserter(listing.records));
        std::ranges::move(page.problems, std::back_inserter(listing.problems));
        listing.used.merge(page.used);
        return true;
    });
    if (!done) return fail(done.error());
    std::ranges::sort(listing.records, is_older);
    return listing;
}

Result<RecordPtr, std::string> RedisKeyStore::by_id(std::string_view id) {
    const auto& keys = session_->keys();
    const auto digests = session_->read({command({"GET", keys.key_id(id)})});
    if (!digests) return fail(digests.error());
    const std::string digest = digest_in(digests->front());
    if (digest.empty()) return RecordPtr();
    const auto hashes = session_->read({command({"HGETALL", keys.key(digest)})});
    if (!hashes) return fail(hashes.error());
    auto record = record_in(hashes->front(), digest);
    const std::string name = "key " + std::string(id) + ": ";
    if (!record) return fail(name + record.error());
    if (*record == nullptr) return fail(name + std::string(kGone));
    return record;
}

Result<KeyListing, std::string> RedisKeyStore::find(std::string_view wanted) {
    if (const auto done = connect(); !done) return fail(done.error());
    if (const auto good = check_epoch(*session_); !good) return fail(good.error());
    KeyListing listing;
    listing.tells_use = true;
    const auto record = by_id(wanted);
    if (!record) return fail(record.error());
    if (*record == nullptr) {
        auto page = keys_named(*session_, wanted);
        if (!page) return fail(page.error());
        const auto place = find_record(page->records, wanted);
        if (!place) return fail(place.error());
        listing.records = {page->records[*place]};
        listing.used = std::move(page->used);
        return listing;
    }
    listing.records = {*record};
    const auto used = session_->read({command({"HGET", session_->keys().used(), wanted})});
    if (!used) return fail(used.error());
    if (const auto seconds = redis::parse_decimal(used->front().text)) {
        listing.used[(*record)->id] = static_cast<Seconds>(*seconds);
    }
    return listing;
}

Result<RecordPtr, std::string> RedisKeyStore::find_digest(std::span<const std::string> digests) {
    if (const auto done = connect(); !done) return fail(done.error());
    Commands questions;
    for (const std::string& digest : digests) {
        questions.push_back(command({"HGETALL", session_->keys().key(digest)}));
    }
    const auto replies = session_->read(questions);
    if (!replies) return fail(replies.error());
    for (std::size_t i = 0; i < digests.size(); ++i) {
        auto record = record_in((*replies)[i], digests[i]);
        if (!record) return fail("the key is known, but " + record.error());
        if (*record != nullptr) return record;
    }
    // Asked last: what was not found before it went was not there.
    if (const auto good = check_epoch(*session_); !good) return fail(good.error());
    return RecordPtr();
}

Result<Outcome, std::string> RedisKeyStore::change(const Edit& edit) {
    if (const auto done = connect(); !done) return fail(done.error());
    return change_redis(*session_, [&](RedisChange& change) {
        RedisKeyEdit records(change);
        return edit(records);
    });
}

}  // namespace gate::ctl
