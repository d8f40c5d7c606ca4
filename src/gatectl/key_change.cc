// gatectl key create, rotate, suspend, resume, revoke.
#include <algorithm>
#include <array>

#include "apikey/key_format.h"
#include "gatectl/command.h"
#include "gatectl/key_options.h"
#include "gatectl/key_store.h"
#include "gatectl/output.h"
#include "gatectl/redis_options.h"

namespace gate::ctl {

namespace {

using apikey::KeyStatus;
using apikey::Record;

constexpr Seconds kDefaultGrace = 86400;

constexpr Option kPrefix{"prefix", "TEXT", "the prefix of the store, such as acme_live_"};
constexpr Option kPepper{"pepper-file", "FILE",
                         "the store's first pepper (digest hmac-sha256); without: sha256"};
constexpr Option kJson{"json", "", "print JSON"};

void print_new_key(const Arguments& arguments, Io& io, const Record& record, const NewKey& key) {
    if (arguments.has("json")) {
        JsonObject object;
        object.text("id", record.id).text("key", key.text.text());
        io.out << object.raw("record", public_json(record, io.now, nullptr)).str() << '\n';
        return;
    }
    io.out << "id   " << record.id << "\nkey  " << key.text.text() << '\n';
    io.err << "gatectl: this is the only time the key is shown\n";
}

// Gives the record an id that no other has, and puts it into the store.
Status<Refusal> add_record(KeyEdit& edit, Record& record) {
    for (;;) {
        auto id = new_id();
        if (!id) return fail(Refusal{"the machine has no entropy"});
        record.id = *std::move(id);
        const auto free = edit.is_free(record);
        if (!free) return fail(free.error());
        if (*free) break;
    }
    edit.put(std::make_shared<const Record>(record));
    return Done{};
}

int run_create(const Arguments& arguments, Io& io) {
    auto record = record_from_options(arguments, io.now);
    if (!record) return misuse(io, record.error());
    if (const auto problem = apikey::prefix_problem(arguments.value_or("prefix", ""))) {
        return misuse(io, "--prefix: " + *problem);
    }
    const auto chosen = choose_key_store(arguments, 0, MissingFile::kCreate);
    if (!chosen) return misuse(io, chosen.error());
    const auto key = make_key(arguments);
    if (!key) return refuse(io, key.error());
    record->digest = key->digest;
    const auto outcome =
        chosen->store->change([&](KeyEdit& edit) { return add_record(edit, *record); });
    if (!outcome) return refuse(io, outcome.error());
    print_new_key(arguments, io, *record, *key);
    return conclude(io, *outcome);
}

// The successor of `old`: the same but for identity and times.
Result<Record, std::string> successor_of(const Arguments& arguments, const Record& old,
                                         Seconds now) {
    if (old.status != KeyStatus::kActive) {
        return fail("key " + old.id + " is " + std::string(name_of(old.status)) +
                    "; only an active key is rotated");
    }
    Record record = old;
    record.created = now;
    if (const auto text = arguments.value("expires")) {
        const auto when = parse_instant(*text, now);
        if (!when) return fail("--expires: " + when.error());
        record.expires = *when;
    }
    if (record.expires && *record.expires <= now) {
        return fail(std::string("the new key would be expired; give --expires"));
    }
    return record;
}

int run_rotate(const Arguments& arguments, Io& io) {
    const auto grace = parse_duration(arguments.value_or("grace", std::to_string(kDefaultGrace)));
    if (!grace) return misuse(io, "--grace: expected a time such as 24h");
    const auto chosen = choose_key_store(arguments, 1);
    if (!chosen) return misuse(io, chosen.error());
    const auto key = make_key(arguments);
    if (!key) return refuse(io, key.error());
    Record old;
    Record fresh;
    const auto outcome = chosen->store->change([&](KeyEdit& edit) -> Status<Refusal> {
        const auto found = edit.find(chosen->operands[0]);
        if (!found) return fail(found.error());
        old = **found;
        auto record = successor_of(arguments, old, io.now);
        if (!record) return fail(Refusal{record.error()});
        fresh = *std::move(record);
        fresh.digest = key->digest;
        const Seconds end = io.now + *grace;
        old.expires = old.expires ? std::min(*old.expires, end) : end;
        edit.put(std::make_shared<const Record>(old));
        return add_record(edit, fresh);
    });
    if (!outcome) return refuse(io, outcome.error());
    print_new_key(arguments, io, fresh, *key);
    io.err << "gatectl: key " << old.id << " is good until " << rfc3339(*old.expires) << '\n';
    return conclude(io, *outcome);
}

// Sets a status; `blocked` is the one from which it cannot be reached.
int change_status(const Arguments& arguments, Io& io, KeyStatus status,
                  std::optional<KeyStatus> blocked) {
    const auto chosen = choose_key_store(arguments, 1);
    if (!chosen) return misuse(io, chosen.error());
    Record record;
    const auto outcome = chosen->store->change([&](KeyEdit& edit) -> Status<Refusal> {
        const auto found = edit.find(chosen->operands[0]);
        if (!found) return fail(found.error());
        record = **found;
        if (record.status == blocked) {
            return fail(Refusal{"key " + record.id + " is " + std::string(name_of(record.status)) +
                                " for good; create a new one"});
        }
        if (record.status == status) return Done{};
        record.status = status;
        edit.put(std::make_shared<const Record>(record));
        return Done{};
    });
    if (!outcome) return refuse(io, outcome.error());
    if (arguments.has("json")) {
        io.out << public_json(record, io.now, nullptr) << '\n';
    } else {
        io.out << "key " << record.id << " is " << state_of(record, io.now) << '\n';
    }
    return conclude(io, *outcome);
}

int run_suspend(const Arguments& arguments, Io& io) {
    return change_status(arguments, io, KeyStatus::kSuspended, KeyStatus::kRevoked);
}

int run_resume(const Arguments& arguments, Io& io) {
    return change_status(arguments, io, KeyStatus::kActive, KeyStatus::kRevoked);
}

int run_revoke(const Arguments& arguments, Io& io) {
    return change_status(arguments, io, KeyStatus::kRevoked, std::nullopt);
}

constexpr std::array kCreateOptions{
    Option{"name", "TEXT", "a name for people"},
    Option{"owner", "TEXT", "who answers for the key"},
    Option{"scope", "SCOPE", "a scope it holds; may have wildcards", true},
    Option{"role", "ROLE", "a role it holds", true},
    Option{"group", "GROUP", "a group it is in", true},
    Option{"expires", "WHEN", "90d from now, or 2030-01-31T00:00:00Z"},
    Option{"not-before", "WHEN", "not good before; as --expires"},
    Option{"cidr", "NETWORK", "good from there only", true},
    Option{"rate", "RATE", "requests, such as 100r/m"},
    Option{"burst", "N", "requests above the rate at once"},
    Option{"label", "NAME=TEXT", "a claim of the key", true},
    Option{"label-json", "NAME=JSON", "a claim that is no string", true},
    kPrefix,
    kPepper,
    kJson};

constexpr std::array kRotateOptions{
    Option{"grace", "TIME", "how long the old key stays good (24h)"},
    Option{"expires", "WHEN", "of the new key (that of the old one)"}, kPrefix, kPepper, kJson};

constexpr std::array kStatusOptions{kJson};

constexpr std::array<Command, 5> kCommands{{
    {"key create", "[FILE]", "Make an API key and print it, once",
     "FILE is the key file of a gate_keys block; it is created if it is missing. With --redis the\n"
     "key goes into that store and there is no FILE. The key goes to standard output, its digest\n"
     "into the store. Prefix and pepper must be those of the block.",
     kCreateOptions, 0, 1, run_create, kRedisChangeOptions},
    {"key rotate", "[FILE] ID", "Make a successor of a key, with the same properties",
     "The old key stays good for the time of grace. ID is an id, or a name that one key has.\n"
     "Prefix and pepper must be those of the gate_keys block.",
     kRotateOptions, 1, 2, run_rotate, kRedisChangeOptions},
    {"key suspend", "[FILE] ID", "Refuse a key until it is resumed", "", kStatusOptions, 1, 2,
     run_suspend, kRedisChangeOptions},
    {"key resume", "[FILE] ID", "Accept a suspended key again", "", kStatusOptions, 1, 2,
     run_resume, kRedisChangeOptions},
    {"key revoke", "[FILE] ID", "Refuse a key for good", "", kStatusOptions, 1, 2, run_revoke,
     kRedisChangeOptions},
}};

}  // namespace

std::span<const Command> key_change_commands() {
    return kCommands;
}

}  // namespace gate::ctl
