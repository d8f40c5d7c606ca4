#include "nginx/key_lookup.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "apikey/record_fields.h"
#include "nginx/bridge.h"
#include "nginx/clock.h"
#include "nginx/news.h"
#include "nginx/redis_client.h"
#include "policy/record_cache.h"
#include "redis/command.h"

namespace gate::nginx {

namespace {

using policy::Answer;
using redis::LinkFailure;
using redis::Reply;

Answer refusal(Reason reason) {
    return {.record = nullptr, .failure = reason, .found_by_digest = false};
}

// Whoever has a key whose record is broken may come with it as often as he likes.
constexpr std::size_t kMostBadRecords = 64;

void report_bad_record(const LiveStore& live, std::string_view digest, const std::string& why) {
    const std::string line = "gate_keys \"" + live.store.name + "\": the record of digest " +
                             std::string(digest.substr(0, 12)) + ".. cannot be used: " + why;
    static News news(kMostBadRecords);
    if (!news.is_news(line)) return;
    const ngx_str_t text = str(line);
    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "%V", &text);
}

using Key = std::pair<const LiveStore*, crypto::Digest256>;

std::map<Key, std::unique_ptr<KeyLookup>>& lookups() {
    static std::map<Key, std::unique_ptr<KeyLookup>> under_way;
    return under_way;
}

}  // namespace

class KeyLookup final : public redis::Caller {
public:
    KeyLookup(const LiveStore& live, const policy::Need& need, cache::Zone* zone)
        : live_(live), need_(need), zone_(zone), asked_(monotonic_seconds()) {}

    std::optional<Reason> ask(RedisClient& client);
    void join(KeyTicket& ticket, Waiter& waiter) {
        tickets_.push_back(&ticket);
        ticket.lookup_ = this;
        ticket.waiter_ = &waiter;
    }
    void leave(const KeyTicket& ticket) noexcept { std::erase(tickets_, &ticket); }

    void answered(std::vector<Reply> replies) override;
    void failed(LinkFailure failure) override { finish(refusal(reason_of(failure))); }

private:
    Answer judge(const std::vector<Reply>& replies, std::string& distrust);
    Answer read_record(const Reply& hash, std::string& distrust) const;
    void finish(const Answer& answer);

    const LiveStore& live_;
    const policy::Need need_;
    cache::Zone* const zone_;
    const Seconds asked_;
    std::vector<KeyTicket*> tickets_;
};

void KeyTicket::leave() noexcept {
    if (lookup_ != nullptr) lookup_->leave(*this);
    lookup_ = nullptr;
}

std::optional<Reason> KeyLookup::ask(RedisClient& client) {
    const redis::StoreKeys& keys = live_.redis->keys;
    const std::string record = keys.key(to_hex(need_.digest));
    std::vector<std::string> commands(2);
    redis::append_command(commands[0], {"HGETALL", record});
    redis::append_command(commands[1], {"GET", keys.epoch()});
    const auto failure = client.ask(*this, record, std::move(commands));
    if (!failure) return std::nullopt;
    return reason_of(*failure);
}

// `distrust`: why the server that gave these is not to be asked any more.
Answer KeyLookup::judge(const std::vector<Reply>& replies, std::string& distrust) {
    for (const Reply& reply : replies) {
        if (!reply.is(Reply::Type::kError)) continue;
        if (redis::error_kind(reply.text) == redis::ErrorKind::kWrongType) {
            report_bad_record(live_, to_hex(need_.digest), "it is no hash");
            return refusal(Reason::kRecordBad);
        }
        return refusal(Reason::kStoreUnavailable);
    }
    const Reply& hash = replies[0];
    const Reply& epoch = replies[1];
    if (!hash.is(Reply::Type::kArray) || hash.items.size() % 2 != 0 ||
        !(epoch.is(Reply::Type::kString) || epoch.is(Reply::Type::kNil))) {
        distrust = "it answers something else than was asked";
        return refusal(Reason::kStoreUnavailable);
    }
    // Without its epoch the store has lost what it had: nothing it says counts.
    RedisClient* const client = redis_client(*live_.redis);
    if (client == nullptr || !client->is_epoch(epoch.text)) {
        return refusal(Reason::kStoreUnavailable);
    }
    if (hash.items.empty()) {
        return {.record = nullptr, .failure = Reason::kNone, .found_by_digest = false};
    }
    return read_record(hash, distrust);
}

Answer KeyLookup::read_record(const Reply& hash, std::string& distrust) const {
    std::vector<apikey::Field> fields;
    for (std::size_t i = 0; i < hash.items.size(); i += 2) {
        const Reply& name = hash.items[i];
        const Reply& value = hash.items[i + 1];
        if (!name.is(Reply::Type::kString) || !value.is(Reply::Type::kString)) {
            distrust = "it answers something else than was asked";
            return refusal(Reason::kStoreUnavailable);
        }
        fields.emplace_back(name.text, value.text);
    }
    auto record = apikey::record_of_fields(fields);
    const std::string digest = to_hex(need_.digest);
    if (!record) {
        report_bad_record(live_, digest, record.error());
        return refusal(Reason::kRecordBad);
    }
    if (record->digest != digest) {
        report_bad_record(live_, digest, "it is that of another key");
        distrust = "it answers with another key's record";
        return refusal(Reason::kRecordBad);
    }
    return {.record = std::make_shared<const apikey::Record>(std::move(*record)),
            .failure = Reason::kNone,
            .found_by_digest = false};
}

void KeyLookup::answered(std::vector<Reply> replies) {
    Answer answer = refusal(Reason::kInternal);
    guard(ngx_cycle->log, 0, [&] {
        std::string distrust;
        Answer judged = judge(replies, distrust);
        if (zone_ != nullptr) {
            policy::remember_record(*zone_, need_, judged, live_.life, asked_, monotonic_seconds());
        }
        RedisClient* const client = redis_client(*live_.redis);
        if (!distrust.empty() && client != nullptr) {
            client->distrust(live_.redis->keys.key(to_hex(need_.digest)), distrust);
        }
        answer = std::move(judged);
        return 0;
    });
    finish(answer);
}

// Ends with the lookup's own destruction.
void KeyLookup::finish(const Answer& answer) {
    const auto self = lookups().extract(Key{&live_, need_.digest});
    for (KeyTicket* const ticket : std::exchange(tickets_, {})) {
        ticket->lookup_ = nullptr;
        ticket->answer_ = answer;
        ticket->waiter_->wake();
    }
}

std::optional<Reason> look_up(const LiveStore& live, const policy::Need& need, cache::Zone* zone,
                              KeyTicket& ticket, Waiter& waiter) {
    ticket.clear();
    auto& known = lookups()[Key{&live, need.digest}];
    if (known == nullptr) {
        // Where memory is short it must not stay without a question: others would join it.
        const auto failure = guard(ngx_cycle->log, std::optional(Reason::kInternal), [&] {
            auto lookup = std::make_unique<KeyLookup>(live, need, zone);
            RedisClient* const client = redis_client(*live.redis);
            const auto refused =
                client != nullptr ? lookup->ask(*client) : std::optional(Reason::kStoreUnavailable);
            known = std::move(lookup);
            return refused;
        });
        if (failure) {
            lookups().erase(Key{&live, need.digest});
            return failure;
        }
    }
    known->join(ticket, waiter);
    return std::nullopt;
}

void stop_key_lookups() noexcept {
    lookups().clear();
}

}  // namespace gate::nginx
