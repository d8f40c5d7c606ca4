// gatectl key create, rotate, suspend, resume, revoke.
#include <algorithm>
#include <array>

#include "apikey/key_format.h"
#include "gatectl/command.h"
#include "gatectl/key_file.h"
#include "gatectl/key_options.h"
#include "gatectl/output.h"

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
        io.out << object.raw("record", public_json(record, io.now)).str() << '\n';
        return;
    }
    io.out << "id   " << record.id << "\nkey  " << key.text.text() << '\n';
    io.err << "gatectl: this is the only time the key is shown\n";
}

// Gives the record its id and digest and puts it into the file's records.
Result<NewKey, std::string> add_record(const Arguments& arguments, Records& records,
                                       Record& record) {
    auto key = make_key(arguments);
    if (!key) return fail(key.error());
    auto id = new_id(records);
    if (!id) return fail(std::string("the machine has no entropy"));
    record.id = *std::move(id);
    record.digest = key->digest;
    records.push_back(std::make_shared<const Record>(record));
    return key;
}

int run_create(const Arguments& arguments, Io& io) {
    const std::string& path = arguments.positional()[0];
    auto record = record_from_options(arguments, io.now);
    if (!record) return misuse(io, record.error());
    if (const auto problem = apikey::prefix_problem(arguments.value_or("prefix", ""))) {
        return misuse(io, "--prefix: " + *problem);
    }
    auto change = KeyFileChange::begin(path, KeyFileChange::Missing::kCreate);
    if (!change) return refuse(io, change.error());
    const auto key = add_record(arguments, change->records(), *record);
    if (!key) return refuse(io, key.error());
    if (const auto done = change->commit(); !done) return refuse(io, done.error());
    if (change->created()) {
        io.err << "gatectl: " << path << " is new and readable by its owner only; nginx's workers "
               << "must be able to read it (chgrp, then chmod 640)\n";
    }
    print_new_key(arguments, io, *record, *key);
    return kDone;
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
    auto change = KeyFileChange::begin(arguments.positional()[0], KeyFileChange::Missing::kRefuse);
    if (!change) return refuse(io, change.error());
    Records& records = change->records();
    const auto place = find_record(records, arguments.positional()[1]);
    if (!place) return refuse(io, place.error());

    Record old = *records[*place];
    auto record = successor_of(arguments, old, io.now);
    if (!record) return refuse(io, record.error());
    const Seconds end = io.now + *grace;
    old.expires = old.expires ? std::min(*old.expires, end) : end;
    records[*place] = std::make_shared<const Record>(old);
    const auto key = add_record(arguments, records, *record);
    if (!key) return refuse(io, key.error());
    if (const auto done = change->commit(); !done) return refuse(io, done.error());
    print_new_key(arguments, io, *record, *key);
    io.err << "gatectl: key " << old.id << " is good until " << rfc3339(*old.expires) << '\n';
    return kDone;
}

// Sets a status; `blocked` is the one from which it cannot be reached.
int change_status(const Arguments& arguments, Io& io, KeyStatus status,
                  std::optional<KeyStatus> blocked) {
    auto change = KeyFileChange::begin(arguments.positional()[0], KeyFileChange::Missing::kRefuse);
    if (!change) return refuse(io, change.error());
    const auto place = find_record(change->records(), arguments.positional()[1]);
    if (!place) return refuse(io, place.error());
    Record record = *change->records()[*place];
    if (record.status == blocked) {
        return refuse(io, "key " + record.id + " is " + std::string(name_of(record.status)) +
                              " for good; create a new one");
    }
    if (record.status != status) {
        record.status = status;
        change->records()[*place] = std::make_shared<const Record>(record);
        if (const auto done = change->commit(); !done) return refuse(io, done.error());
    }
    if (arguments.has("json")) {
        io.out << public_json(record, io.now) << '\n';
    } else {
        io.out << "key " << record.id << " is " << state_of(record, io.now) << '\n';
    }
    return kDone;
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
    {"key create", "FILE", "Make an API key and print it, once",
     "FILE is the key file of a gate_keys block; it is created if it is missing. The key goes to\n"
     "standard output, its digest into the file. Prefix and pepper must be those of the block.",
     kCreateOptions, 1, 1, run_create},
    {"key rotate", "FILE ID", "Make a successor of a key, with the same properties",
     "The old key stays good for the time of grace. ID is an id, or a name that one key has.\n"
     "Prefix and pepper must be those of the gate_keys block.",
     kRotateOptions, 2, 2, run_rotate},
    {"key suspend", "FILE ID", "Refuse a key until it is resumed", "", kStatusOptions, 2, 2,
     run_suspend},
    {"key resume", "FILE ID", "Accept a suspended key again", "", kStatusOptions, 2, 2, run_resume},
    {"key revoke", "FILE ID", "Refuse a key for good", "", kStatusOptions, 2, 2, run_revoke},
}};

}  // namespace

std::span<const Command> key_change_commands() {
    return kCommands;
}

}  // namespace gate::ctl
