// gatectl key list, show, verify.
#include <algorithm>
#include <array>

#include "apikey/key_format.h"
#include "gatectl/command.h"
#include "gatectl/input.h"
#include "gatectl/key_file.h"
#include "gatectl/key_options.h"
#include "gatectl/output.h"

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

int run_list(const Arguments& arguments, Io& io) {
    const auto records = read_key_file(arguments.positional()[0]);
    if (!records) return refuse(io, records.error());
    std::vector<std::string> elements;
    Table table({"ID", "NAME", "OWNER", "STATE", "CREATED", "EXPIRES", "SCOPES"});
    for (const RecordPtr& record : *records) {
        const std::string state(state_of(*record, io.now));
        if (const auto wanted = arguments.value("state"); wanted && *wanted != state) continue;
        elements.push_back(public_json(*record, io.now));
        table.add({record->id, text_or(record->name), text_or(record->owner), state,
                   when_or(record->created, "-"), when_or(record->expires, "never"),
                   joined(record->scopes, " ")});
    }
    if (arguments.has("json")) {
        io.out << JsonObject().raw("keys", json_array(elements)).str() << '\n';
    } else if (table.empty()) {
        io.err << "gatectl: no keys\n";
    } else {
        io.out << table.str();
    }
    return kDone;
}

void print_record(std::ostream& out, const Record& record, Seconds now) {
    std::vector<std::string> networks;
    for (const apikey::Network& network : record.networks) networks.push_back(network.text());
    const std::vector<std::pair<std::string_view, std::string>> rows{
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
    for (const auto& [name, value] : rows) {
        std::string label(name);
        label.resize(12, ' ');
        out << label << printable(value) << '\n';
    }
}

int run_show(const Arguments& arguments, Io& io) {
    const auto records = read_key_file(arguments.positional()[0]);
    if (!records) return refuse(io, records.error());
    const auto place = find_record(*records, arguments.positional()[1]);
    if (!place) return refuse(io, place.error());
    const Record& record = *(*records)[*place];
    if (arguments.has("json")) {
        io.out << public_json(record, io.now) << '\n';
    } else {
        print_record(io.out, record, io.now);
    }
    return kDone;
}

// The record of a key, by its digest under each pepper; nullptr where there is none.
Result<const Record*, std::string> look_up(const Arguments& arguments, const Records& records,
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
    for (const RecordPtr& record : records) {
        if (std::ranges::find(digests, record->digest) != digests.end()) return record.get();
    }
    return nullptr;
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
    const auto records = read_key_file(arguments.positional()[0]);
    if (!records) return refuse(io, records.error());
    const auto address = parse_address_option(arguments);
    if (!address) return misuse(io, address.error());
    const Secret key = read_credential(io.in);
    if (key.empty()) return misuse(io, "no key on standard input");
    const auto record = look_up(arguments, *records, key.text());
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
        if (*record != nullptr) object.raw("record", public_json(**record, io.now));
        io.out << object.str() << '\n';
    } else {
        io.out << (accepted ? "accept" : "reject " + std::string(code(reason))) << '\n';
        if (*record != nullptr) print_record(io.out, **record, io.now);
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
    {"key list", "FILE", "List the keys of a key file", "", kListOptions, 1, 1, run_list},
    {"key show", "FILE ID", "Show a key's properties", "ID is an id, or a name that one key has.",
     kShowOptions, 2, 2, run_show},
    {"key verify", "FILE", "Tell whether a key on standard input is good, and whose it is",
     "The key is read from standard input, never from the command line, which others can see.",
     kVerifyOptions, 1, 1, run_verify},
}};

}  // namespace

std::span<const Command> key_view_commands() {
    return kCommands;
}

}  // namespace gate::ctl
