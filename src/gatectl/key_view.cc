// gatectl key list, show, verify.
#include <algorithm>
#include <array>

#include "apikey/key_format.h"
#include "base/text_list.h"
#include "gatectl/command.h"
#include "gatectl/input.h"
#include "gatectl/key_options.h"
#include "gatectl/key_store.h"
#include "gatectl/output.h"
#include "gatectl/redis_options.h"

namespace gate::ctl {

namespace {

using apikey::Record;

constexpr Option kJson{"json", "", "print JSON"};

std::string when_or(std::optional<Seconds> when, std::string_view otherwise) {
    return when ? rfc3339(*when) : std::string(otherwise);
}

std::string text_or(const std::string& text) {
    return text.empty() ? "-" : text;
}

std::string last_use(const KeyListing& listing, const Record& record) {
    const auto used = listing.used.find(record.id);
    return used != listing.used.end() ? rfc3339(used->second) : "-";
}

// What is no key is named, and the status is that of a broken file.
int conclude_list(Io& io, const KeyListing& listing) {
    for (const std::string& problem : listing.problems) refuse(io, problem);
    return listing.problems.empty() ? kDone : kRefused;
}

int run_list(const Arguments& arguments, Io& io) {
    const auto chosen = choose_key_store(arguments, 0);
    if (!chosen) return misuse(io, chosen.error());
    const auto listing = chosen->store->list();
    if (!listing) return refuse(io, listing.error());
    std::vector<std::string> elements;
    std::vector<std::string> head{"ID", "NAME", "OWNER", "STATE", "CREATED", "EXPIRES"};
    if (listing->tells_use) head.push_back("LAST USED");
    head.push_back("SCOPES");
    Table table(head);
    for (const RecordPtr& record : listing->records) {
        const std::string state(state_of(*record, io.now));
        if (const auto wanted = arguments.value("state"); wanted && *wanted != state) continue;
        elements.push_back(public_json(*record, io.now, &*listing));
        std::vector<std::string> row{
            record->id, text_or(record->name),         text_or(record->owner),
            state,      when_or(record->created, "-"), when_or(record->expires, "never")};
        if (listing->tells_use) row.push_back(last_use(*listing, *record));
        row.push_back(joined(record->scopes, " "));
        table.add(std::move(row));
    }
    if (arguments.has("json")) {
        io.out << JsonObject().raw("keys", json_array(elements)).str() << '\n';
    } else if (table.empty()) {
        io.err << "gatectl: no keys\n";
    } else {
        io.out << table.str();
    }
    return conclude_list(io, *listing);
}

void print_record(std::ostream& out, const Record& record, Seconds now, std::string_view used) {
    std::vector<std::string> networks;
    for (const apikey::Network& network : record.networks) networks.push_back(network.text());
    std::vector<std::pair<std::string_view, std::string>> rows{
        {"id", record.id},
        {"name", text_or(record.name)},
        {"owner", text_or(record.owner)},
        {"state", std::string(state_of(record, now))},
        {"created", when_or(record.created, "-")},
        {"not before", when_or(record.not_before, "-")},
        {"expires", when_or(record.expires, "never")},
        {"scopes", joined(record.scopes, " ")},
        {"roles", joined(record.roles, " ")},
        {"groups", joined(record.groups, " ")},
        {"from", joined(networks, " ", "anywhere")},
        {"rate", text_or(record.rate)},
        {"burst", record.burst ? std::to_string(*record.burst) : "-"},
        {"labels", record.labels.root().present() ? record.labels.root().dump() : "-"}};
    if (!used.empty()) rows.emplace_back("last used", used);
    for (const auto& [name, value] : rows) {
        std::string label(name);
        label.resize(12, ' ');
        out << label << printable(value) << '\n';
    }
}

int run_show(const Arguments& arguments, Io& io) {
    const auto chosen = choose_key_store(arguments, 1);
    if (!chosen) return misuse(io, chosen.error());
    const auto found = chosen->store->find(chosen->operands[0]);
    if (!found) return refuse(io, found.error());
    const Record& record = *found->records.front();
    if (arguments.has("json")) {
        io.out << public_json(record, io.now, &*found) << '\n';
    } else {
        print_record(io.out, record, io.now, found->tells_use ? last_use(*found, record) : "");
    }
    return kDone;
}

// The key's digest under each pepper.
Result<std::vector<std::string>, std::string> digests_of(const Arguments& arguments,
                                                         std::string_view key) {
    std::vector<std::string> digests;
    for (const std::string& path : arguments.values("pepper-file")) {
        const auto pepper = read_pepper(path);
        if (!pepper) return fail(pepper.error());
        const auto kind = apikey::DigestKind::kHmacSha256;
        digests.push_back(to_hex(apikey::digest_key(key, kind, pepper->bytes())));
    }
    if (digests.empty()) {
        digests.push_back(to_hex(apikey::digest_key(key, apikey::DigestKind::kSha256, {})));
    }
    return digests;
}

// Why a key that no record has is none: a prefix that is not told can be anything.
Reason why_unknown(const Arguments& arguments, std::string_view key) {
    constexpr std::size_t kTail = apikey::kSecretDigits + 1 + apikey::kChecksumDigits;
    const auto prefix = arguments.value("prefix");
    if (!prefix && key.size() < kTail) return Reason::kKeyUnknown;
    const std::string assumed(key.substr(0, key.size() - std::min(kTail, key.size())));
    const auto good = apikey::check_key({prefix.value_or(assumed), true}, key);
    if (good) return Reason::kKeyUnknown;
    // Without --prefix the key may come from elsewhere and have any shape.
    if (!prefix && good.error() == Reason::kKeyMalformed) return Reason::kKeyUnknown;
    return good.error();
}

int run_verify(const Arguments& arguments, Io& io) {
    const auto chosen = choose_key_store(arguments, 0);
    if (!chosen) return misuse(io, chosen.error());
    const auto address = parse_address_option(arguments);
    if (!address) return misuse(io, address.error());
    const Secret key = read_credential(io.in);
    if (key.empty()) return misuse(io, "no key on standard input");
    const auto digests = digests_of(arguments, key.text());
    if (!digests) return refuse(io, digests.error());
    const auto record = chosen->store->find_digest(*digests);
    if (!record) return refuse(io, record.error());

    Reason reason = Reason::kNone;
    if (*record == nullptr) {
        reason = why_unknown(arguments, key.text());
    } else {
        // Without an address only the rest can be judged.
        Record judged = **record;
        if (!*address) judged.networks.clear();
        const auto good = check_record(judged, io.now, address->value_or(ByteVector()));
        reason = good ? Reason::kNone : good.error();
    }
    const bool accepted = reason == Reason::kNone;
    if (arguments.has("json")) {
        JsonObject object;
        object.text("verdict", accepted ? "accept" : "reject").text("reason", code(reason));
        if (*record != nullptr) object.raw("record", public_json(**record, io.now, nullptr));
        io.out << object.str() << '\n';
    } else {
        io.out << (accepted ? "accept" : "reject " + std::string(code(reason))) << '\n';
        if (*record != nullptr) print_record(io.out, **record, io.now, "");
        if (*record != nullptr && !*address && !(*record)->networks.empty()) {
            io.err << "gatectl: its networks were not checked; give --address\n";
        }
    }
    return accepted ? kDone : kRefused;
}

constexpr std::array kListOptions{
    Option{"state", "STATE", "only active, suspended, revoked, expired or \"not yet\" ones"},
    kJson};
constexpr std::array kShowOptions{kJson};
constexpr std::array kVerifyOptions{
    Option{"prefix", "TEXT", "the prefix of the store: also check the key's shape"},
    Option{"pepper-file", "FILE", "a pepper of the store (digest hmac-sha256)", true},
    Option{"address", "IP", "the client's address, for keys bound to networks"}, kJson};

constexpr std::array<Command, 3> kCommands{{
    {"key list", "[FILE]", "List the keys of a key file or store", "", kListOptions, 0, 1, run_list,
     kRedisViewOptions},
    {"key show", "[FILE] ID", "Show a key's properties", "ID is an id, or a name that one key has.",
     kShowOptions, 1, 2, run_show, kRedisViewOptions},
    {"key verify", "[FILE]", "Tell whether a key on standard input is good, and whose it is",
     "The key is read from standard input, never from the command line, which others can see.",
     kVerifyOptions, 0, 1, run_verify, kRedisViewOptions},
}};

}  // namespace

std::span<const Command> key_view_commands() {
    return kCommands;
}

}  // namespace gate::ctl
