#include "nginx/revocation_write.h"

#include <algorithm>
#include <utility>

#include "cache/journal_file.h"
#include "cache/revocation_item.h"
#include "nginx/crew.h"
#include "nginx/directive.h"
#include "nginx/redis_client.h"
#include "redis/change.h"
#include "redis/command.h"

namespace gate::nginx {

namespace {

using cache::JournalEntry;
using redis::Reply;

// Appending waits for the disk: one after the other is as quick as it gets.
constexpr std::size_t kQueue = 1024;
constexpr ngx_msec_t kPause = 10;

std::unique_ptr<Crew>& crew() {
    static std::unique_ptr<Crew>& one = *new std::unique_ptr<Crew>;
    if (!one) one = std::make_unique<Crew>(1, kQueue);
    return one;
}

const RedisConf* store_of(const MainConf& main) {
    return main.followed ? main.followed->redis : nullptr;
}

// The one that the configuration names, before the one below state=.
const JournalConf* journal_of(const MainConf& main) {
    if (main.revocation) return &*main.revocation;
    return main.zone && !main.zone->journals.empty() ? &main.zone->journals.front() : nullptr;
}

void add_commands(std::vector<std::string>& commands, const redis::StoreKeys& keys,
                  const JournalEntry& entry) {
    redis::Change change;
    change.kind = redis::Change::Kind::kRevoked;
    change.item = cache::format_item({entry.kind, entry.issuer, entry.value, entry.issued_until});
    const bool forgotten = entry.expires != cache::kNeverForgotten;
    if (forgotten) change.forget_at = entry.expires;
    const std::string score = forgotten ? std::to_string(entry.expires) : "+inf";
    commands.push_back(redis::command_text({"ZADD", keys.revoked(), "GT", score, change.item}));
    const std::vector<std::string> fields = redis::fields_of(change);
    const std::string log = keys.log();
    std::vector<std::string_view> words{"XADD", log, "*"};
    words.insert(words.end(), fields.begin(), fields.end());
    redis::append_command(commands.emplace_back(), words);
}

void complain(const RedisConf& store, const std::string& what) {
    const ngx_str_t name = str(store.name);
    const ngx_str_t text = str(what);
    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "gate_redis \"%V\": a revocation cannot be written: %V", &name, &text);
}

// What an error among the replies says; empty: all was done.
std::string problem_of(const std::vector<Reply>& replies) {
    const auto is_error = [](const Reply& reply) { return reply.is(Reply::Type::kError); };
    const auto error = std::ranges::find_if(replies, is_error);
    if (error != replies.end()) return log_escaped(error->text, 200);
    const Reply& last = replies.back();
    if (!last.is(Reply::Type::kArray) || last.items.empty()) return "the transaction was dropped";
    const auto inner = std::ranges::find_if(last.items, is_error);
    return inner == last.items.end() ? std::string() : log_escaped(inner->text, 200);
}

}  // namespace

struct RevocationWrite::Append final : Job {
    Append(RevocationWrite& of, std::string file, std::vector<JournalEntry> lines)
        : write(&of), path(std::move(file)), entries(std::move(lines)) {}

    void run() noexcept override {
        try {
            if (const auto done = cache::append_to_journal(path, entries); !done) {
                problem = done.error();
            }
        } catch (...) {
            problem = "out of memory";
        }
    }
    void finish() noexcept override {
        if (!problem.empty()) {
            const ngx_str_t text = str(problem);
            ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                          "gate: a revocation cannot be written: %V", &text);
        }
        write->append_ = nullptr;
        if (problem.empty()) return write->put();
        write->finish(Reason::kStoreUnavailable);
    }

    RevocationWrite* write;
    const std::string path;
    const std::vector<JournalEntry> entries;
    std::string problem;
};

void RevocationWrite::begin(const MainConf& main, std::vector<JournalEntry> entries,
                            Waiter& waiter) {
    main_ = &main;
    entries_ = std::move(entries);
    waiter_ = &waiter;
    result_.reset();
    if (store_of(main) != nullptr) return ask();
    append();
}

void RevocationWrite::ask() {
    const RedisConf& store = *store_of(*main_);
    RedisClient* const client = redis_client(store);
    if (client == nullptr) return finish(Reason::kStoreUnavailable);
    std::vector<std::string> commands{redis::command_text({"MULTI"})};
    for (const JournalEntry& entry : entries_) add_commands(commands, store.keys, entry);
    commands.push_back(redis::command_text({"GET", store.keys.epoch()}));
    commands.push_back(redis::command_text({"EXEC"}));
    if (client->ask(*this, store.keys.revoked(), std::move(commands))) {
        return finish(Reason::kStoreUnavailable);
    }
    asked_ = &store;
}

void RevocationWrite::answered(std::vector<Reply> replies) {
    const RedisConf& store = *std::exchange(asked_, nullptr);
    std::string problem = problem_of(replies);
    if (problem.empty()) {
        RedisClient* const client = redis_client(store);
        const std::string& epoch = replies.back().items.back().text;
        if (client == nullptr || !client->is_epoch(epoch)) problem = "the store has lost its data";
    }
    if (problem.empty()) return put();
    complain(store, problem);
    finish(Reason::kStoreUnavailable);
}

void RevocationWrite::failed(redis::LinkFailure failure) {
    asked_ = nullptr;
    finish(reason_of(failure));
}

void RevocationWrite::append() {
    append_ = std::make_shared<Append>(*this, journal_of(*main_)->path, entries_);
    if (crew()->take(append_)) return;
    append_ = nullptr;
    finish(Reason::kStoreUnavailable);
}

void RevocationWrite::put() {
    cache::Zone& zone = *main_->zone->zone;
    const auto now = static_cast<std::uint32_t>(ngx_time());
    {
        const auto writer = zone.try_write();
        if (!writer) return again_.set(kPause);
        for (const JournalEntry& entry : entries_) {
            zone.revocations.put(
                {cache::digest_revocation(zone.seed(), entry.kind, entry.issuer, entry.value),
                 entry.issued_until, entry.expires},
                now);
        }
    }
    finish(Reason::kNone);
}

void RevocationWrite::finish(Reason reason) {
    result_ = reason;
    waiter_->wake();
}

void RevocationWrite::leave() noexcept {
    if (append_) crew()->forget(*append_);
    append_ = nullptr;
    RedisClient* const client = asked_ != nullptr ? redis_client(*asked_) : nullptr;
    if (client != nullptr) client->forget(*this);
    asked_ = nullptr;
    again_.stop();
    waiter_ = nullptr;
}

bool check_revocation_place(ngx_conf_t* cf, const MainConf& main, const std::string& directive,
                            const std::string& where) {
    if (store_of(main) != nullptr || journal_of(main) != nullptr) return true;
    return fail_at(cf, where,
                   quoted(directive) +
                       " has nowhere to keep what it revokes; write \"gate_zone gate:64m "
                       "state=/var/lib/nginx/gate;\" or \"gate_revocation redis=NAME;\" at http "
                       "level");
}

void stop_revocation_writes() noexcept {
    crew().reset();
}

}  // namespace gate::nginx
