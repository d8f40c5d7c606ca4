#include "nginx/token_use.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "crypto/digest.h"
#include "nginx/redis_client.h"
#include "redis/command.h"

namespace gate::nginx {

namespace {

using redis::Reply;

constexpr ngx_msec_t kPause = 10;

// The name tells nothing of the token.
std::string name_of(const cache::JournalEntry& token) {
    std::string text(cache::name_of(token.kind));
    for (const std::string& part : {token.issuer, token.value}) text.append(1, '\0').append(part);
    return to_hex(crypto::sha256(bytes_of(text)));
}

std::optional<Seconds> seconds_of(const Reply& reply) {
    Seconds seconds = 0;
    const char* const end = reply.text.data() + reply.text.size();
    const auto [at, error] = std::from_chars(reply.text.data(), end, seconds);
    const bool good = reply.is(Reply::Type::kString) && error == std::errc() && at == end;
    return good ? std::optional(seconds) : std::nullopt;
}

}  // namespace

void TokenUse::begin(const MainConf& main, const cache::JournalEntry& token, Seconds reuse,
                     Waiter& waiter) {
    main_ = &main;
    token_ = token;
    reuse_ = reuse;
    waiter_ = &waiter;
    result_.reset();
    if (main.followed) return ask();
    look();
}

// SET NX is what decides; the instant of the first use is its value.
void TokenUse::ask() {
    const RedisConf& store = *main_->followed->redis;
    RedisClient* const client = redis_client(store);
    if (client == nullptr) return finish(fail(Reason::kStoreUnavailable));
    const std::string key = store.keys.spent(name_of(token_));
    const Seconds life = std::max<Seconds>(Seconds{token_.expires} - token_.written, 1);
    std::vector<std::string> commands{
        redis::command_text({"MULTI"}),
        redis::command_text(
            {"SET", key, std::to_string(token_.written), "NX", "EX", std::to_string(life)}),
        redis::command_text({"GET", key}), redis::command_text({"GET", store.keys.epoch()}),
        redis::command_text({"EXEC"})};
    if (client->ask(*this, key, std::move(commands))) {
        return finish(fail(Reason::kStoreUnavailable));
    }
    asked_ = &store;
}

void TokenUse::answered(std::vector<Reply> replies) {
    const RedisConf& store = *std::exchange(asked_, nullptr);
    const Reply& done = replies.back();
    RedisClient* const client = redis_client(store);
    const bool whole = done.is(Reply::Type::kArray) && done.items.size() == 3;
    if (!whole || client == nullptr || !client->is_epoch(done.items[2].text)) {
        const std::string error =
            done.is(Reply::Type::kError) ? log_escaped(done.text, 200) : "it is not the store";
        const ngx_str_t name = str(store.name);
        const ngx_str_t text = str(error);
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "gate_redis \"%V\": the use of a token cannot be written: %V", &name, &text);
        return finish(fail(Reason::kStoreUnavailable));
    }
    if (done.items[0].is_status("OK")) return finish(Use::kFirst);
    const auto first = seconds_of(done.items[1]);
    if (!done.items[0].is(Reply::Type::kNil) || !first) {
        return finish(fail(Reason::kStoreUnavailable));
    }
    const bool soon = reuse_ > 0 && token_.written - *first <= reuse_;
    finish(soon ? Use::kAgainSoon : Use::kAgain);
}

void TokenUse::failed(redis::LinkFailure failure) {
    asked_ = nullptr;
    finish(fail(reason_of(failure)));
}

// The entry kills what was issued up to its first use: so it also tells when that was.
void TokenUse::look() {
    cache::Zone& zone = *main_->zone->zone;
    const auto writer = zone.try_write();
    if (!writer) return again_.set(kPause);
    const auto now = static_cast<std::uint32_t>(token_.written);
    const auto digest =
        cache::digest_revocation(zone.seed(), token_.kind, token_.issuer, token_.value);
    cache::Revocations& set = zone.revocations;
    if (set.revoked(digest, cache::kEveryInstant - 1, now)) return finish(fail(Reason::kRevoked));
    if (set.revoked(digest, 0, now)) {
        const auto since = static_cast<std::uint32_t>(std::max<Seconds>(now - reuse_, 0));
        const bool soon = reuse_ > 0 && set.revoked(digest, since, now);
        return finish(soon ? Use::kAgainSoon : Use::kAgain);
    }
    const auto put = set.put({digest, token_.issued_until, token_.expires}, now);
    if (put == cache::Revocations::Put::kFull) return finish(fail(Reason::kRevocationFull));
    finish(Use::kFirst);
}

void TokenUse::finish(Result<Use, Reason> result) {
    result_ = std::move(result);
    waiter_->wake();
}

void TokenUse::leave() noexcept {
    RedisClient* const client = asked_ != nullptr ? redis_client(*asked_) : nullptr;
    if (client != nullptr) client->forget(*this);
    asked_ = nullptr;
    again_.stop();
    waiter_ = nullptr;
}

}  // namespace gate::nginx
