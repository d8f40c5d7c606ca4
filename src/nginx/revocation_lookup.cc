#include "nginx/revocation_lookup.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/siphash.h"
#include "crypto/digest.h"
#include "nginx/bridge.h"
#include "nginx/record.h"
#include "nginx/redis_client.h"
#include "redis/command.h"

namespace gate::nginx {

namespace {

using redis::LinkFailure;
using redis::Reply;

// What this worker was told a short while ago; a new answer takes the place of one whose command
// has the same place.
class Answers {
public:
    Answers() : entries_(kEntries) {
        std::array<std::uint8_t, sizeof key_> random;
        good_ = crypto::random_bytes(random);
        std::memcpy(&key_, random.data(), sizeof key_);
    }

    std::optional<bool> find(const RedisConf& redis, std::string_view command,
                             ngx_msec_t now) const {
        const Entry wanted = name(redis, command);
        const Entry& entry = entries_[place_of(wanted)];
        const bool same =
            entry.redis == &redis && entry.digest == wanted.digest && now < entry.until;
        return good_ && same ? std::optional(entry.revoked) : std::nullopt;
    }
    void keep(const RedisConf& redis, std::string_view command, bool revoked, ngx_msec_t until) {
        Entry entry = name(redis, command);
        entry.revoked = revoked;
        entry.until = until;
        entries_[place_of(entry)] = entry;
    }

private:
    static constexpr std::size_t kEntries = 4096;
    struct Entry {
        const RedisConf* redis = nullptr;
        SipDigest digest{};
        ngx_msec_t until = 0;
        bool revoked = false;
    };

    Entry name(const RedisConf& redis, std::string_view command) const {
        return {&redis, siphash128(key_, bytes_of(command)), 0, false};
    }
    static std::size_t place_of(const Entry& entry) noexcept {
        return (entry.digest[0] | std::size_t{entry.digest[1]} << 8) % kEntries;
    }

    std::vector<Entry> entries_;
    SipKey key_{};
    bool good_ = false;
};

std::unique_ptr<Answers> known_answers;

Answers& answers() {
    if (!known_answers) known_answers = std::make_unique<Answers>();
    return *known_answers;
}

// The line's command for this request; nullopt where a variable is empty.
struct Question {
    std::string command;
    std::string_view key;
};
std::optional<Question> question_of(ngx_http_request_t* r, const RevocationLookupConf& lookup) {
    std::vector<std::string_view> words{lookup.command};
    for (const Template& argument : lookup.arguments) {
        const policy::RuleValue value = argument.evaluate_octets(r);
        if (!value.valid) return std::nullopt;
        words.push_back(value.text);
    }
    Question question{{}, words[1]};
    redis::append_command(question.command, words);
    return question;
}

}  // namespace

PendingLookup::~PendingLookup() {
    RedisClient* const client = asked_ ? redis_client(*lookup_->redis) : nullptr;
    if (client != nullptr) client->forget(*this);
}

std::optional<Reason> PendingLookup::ask(const RevocationLookupConf& lookup, std::string command,
                                         std::string_view key) {
    RedisClient* const client = redis_client(*lookup.redis);
    if (client == nullptr) return Reason::kStoreUnavailable;
    lookup_ = &lookup;
    command_ = std::move(command);
    answer.reset();
    if (client->ask(*this, key, {command_})) return Reason::kStoreUnavailable;
    asked_ = true;
    return std::nullopt;
}

void PendingLookup::answered(std::vector<Reply> replies) {
    const Reply& reply = replies.front();
    if (!reply.is(Reply::Type::kInteger) || reply.integer < 0) {
        return finish(Reason::kStoreUnavailable);
    }
    const bool revoked = reply.integer > 0;
    if (lookup_->valid > 0) {
        answers().keep(*lookup_->redis, command_, revoked, ngx_current_msec + lookup_->valid);
    }
    finish(revoked ? Reason::kRevoked : Reason::kNone);
}

void PendingLookup::failed(LinkFailure failure) {
    finish(reason_of(failure));
}

void PendingLookup::finish(Reason reason) {
    asked_ = false;
    answer = reason;
    waiter.wake();
}

std::optional<Reason> look_for_revocation(ngx_http_request_t* r, Record& record,
                                          const LocConf& location) {
    const RevocationLookups& lines = *location.lookups;
    PendingLookup* pending = record.lookup();
    if (pending != nullptr && pending->asked_) return std::nullopt;
    std::size_t line = 0;
    if (pending != nullptr) {
        pending->waiter.leave();
        if (*pending->answer != Reason::kNone) return pending->answer;
        line = pending->line + 1;
    }
    for (; line < lines.size(); ++line) {
        const RevocationLookupConf& lookup = *lines[line];
        auto question = question_of(r, lookup);
        if (!question) return Reason::kClaimMissing;
        if (const auto known = answers().find(*lookup.redis, question->command, ngx_current_msec)) {
            if (*known) return Reason::kRevoked;
            continue;
        }
        if (pending == nullptr) pending = &record.begin_lookup(location);
        pending->line = line;
        if (const auto failure =
                pending->ask(lookup, std::move(question->command), question->key)) {
            return failure;
        }
        if (!record.wait(r, pending->waiter)) return Reason::kStoreUnavailable;
        return std::nullopt;
    }
    return Reason::kNone;
}

void forget_lookups() noexcept {
    known_answers.reset();
}

}  // namespace gate::nginx
