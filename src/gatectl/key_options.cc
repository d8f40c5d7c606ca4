#include "gatectl/key_options.h"

#include <charconv>

#include "apikey/key_format.h"
#include "base/json_text.h"
#include "gatectl/encoding.h"
#include "gatectl/output.h"

namespace gate::ctl {

namespace {

using apikey::Record;

Status<std::string> read_times(const Arguments& arguments, Seconds now, Record& record) {
    if (const auto text = arguments.value("expires")) {
        const auto when = parse_instant(*text, now);
        if (!when) return fail("--expires: " + when.error());
        if (*when <= now) return fail(std::string("--expires: the instant is past"));
        record.expires = *when;
    }
    if (const auto text = arguments.value("not-before")) {
        const auto when = parse_instant(*text, now);
        if (!when) return fail("--not-before: " + when.error());
        record.not_before = *when;
    }
    if (record.not_before && record.expires && *record.not_before >= *record.expires) {
        return fail(std::string("--not-before is not before --expires"));
    }
    return Done{};
}

Status<std::string> read_bounds(const Arguments& arguments, Record& record) {
    for (const std::string& text : arguments.values("cidr")) {
        const auto network = apikey::Network::parse(text);
        if (!network) {
            return fail("--cidr: " + json_string(text) +
                        " is no network such as 192.0.2.0/24 (no address bits behind the prefix)");
        }
        record.networks.push_back(*network);
    }
    record.rate = arguments.value_or("rate", "");
    if (const auto text = arguments.value("burst")) {
        std::int64_t burst = 0;
        const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), burst);
        if (error != std::errc{} || end != text->data() + text->size()) {
            return fail(std::string("--burst: expected a number"));
        }
        record.burst = burst;
    }
    return Done{};
}

struct Label {
    std::string name;
    std::string value;
};

Result<Label, std::string> split_label(const std::string& text) {
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos) {
        return fail("a label is NAME=VALUE, not " + json_string(text));
    }
    return Label{text.substr(0, equals), text.substr(equals + 1)};
}

// The rules of key files, applied before there is a key: id and digest are stand-ins.
Status<std::string> check_as_file_would(Record record) {
    record.id = "new";
    record.digest.assign(64, '0');
    const auto document = jose::Document::parse(record.to_json());
    if (!document) return fail("not usable: " + std::string(code(document.error())));
    const auto again = Record::from_json(document->root());
    if (!again) return fail(again.error());
    return Done{};
}

}  // namespace

Result<Seconds, std::string> parse_instant(std::string_view text, Seconds now) {
    if (const auto when = parse_rfc3339(text)) return *when;
    if (const auto duration = parse_duration(text)) return now + *duration;
    return fail(json_string(text) +
                " is neither a time such as 90d nor an instant such as 2030-01-31T00:00:00Z");
}

Result<jose::Document, std::string> labels_from_options(const Arguments& arguments) {
    JsonObject labels;
    bool any = false;
    for (const std::string& text : arguments.values("label")) {
        const auto label = split_label(text);
        if (!label) return fail("--label: " + label.error());
        labels.text(label->name, label->value);
        any = true;
    }
    for (const std::string& text : arguments.values("label-json")) {
        const auto label = split_label(text);
        if (!label) return fail("--label-json: " + label.error());
        const auto parsed = jose::Document::parse("{\"v\":" + label->value + "}");
        if (!parsed || parsed->root().size() != 1) {
            return fail("--label-json: the value of " + json_string(label->name) + " is no JSON");
        }
        labels.raw(label->name, parsed->root().member("v").dump());
        any = true;
    }
    if (!any) return jose::Document();
    auto document = jose::Document::parse(labels.str());
    if (!document) return fail("labels: " + std::string(code(document.error())));
    return *std::move(document);
}

Result<Record, std::string> record_from_options(const Arguments& arguments, Seconds now) {
    Record record;
    record.created = now;
    record.name = arguments.value_or("name", "");
    record.owner = arguments.value_or("owner", "");
    record.scopes = arguments.values("scope");
    record.roles = arguments.values("role");
    record.groups = arguments.values("group");
    if (const auto done = read_times(arguments, now, record); !done) return fail(done.error());
    if (const auto done = read_bounds(arguments, record); !done) return fail(done.error());
    auto labels = labels_from_options(arguments);
    if (!labels) return fail(labels.error());
    record.labels = *std::move(labels);
    if (const auto good = check_as_file_would(record); !good) return fail(good.error());
    return record;
}

Result<Secret, std::string> read_pepper(const std::string& path) {
    auto pepper = read_secret_file(path, SecretEncoding::kText);
    if (!pepper) return pepper;
    if (pepper->bytes().size() < apikey::kMinPepperSize) {
        return fail(path + ": a pepper has at least " + std::to_string(apikey::kMinPepperSize) +
                    " octets; make one with \"gatectl secret new\"");
    }
    return pepper;
}

Result<NewKey, std::string> make_key(const Arguments& arguments) {
    const std::string prefix = arguments.value_or("prefix", "");
    if (const auto problem = apikey::prefix_problem(prefix)) return fail("--prefix: " + *problem);
    apikey::DigestKind kind = apikey::DigestKind::kSha256;
    Secret pepper;
    if (const auto path = arguments.value("pepper-file")) {
        auto read = read_pepper(*path);
        if (!read) return fail(read.error());
        pepper = *std::move(read);
        kind = apikey::DigestKind::kHmacSha256;
    }
    auto text = apikey::generate_key(prefix);
    if (!text) return fail(std::string("the machine has no entropy"));
    NewKey key{Secret(bytes_of(*text)), to_hex(apikey::digest_key(*text, kind, pepper.bytes()))};
    wipe(text->data(), text->size());
    return key;
}

}  // namespace gate::ctl
