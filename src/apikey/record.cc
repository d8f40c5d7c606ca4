#include "apikey/record.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "base/json_text.h"
#include "jose/member_reader.h"

namespace gate::apikey {

namespace {

using jose::MemberReader;
using jose::Value;
using Kind = Value::Kind;

constexpr std::size_t kMaxIdSize = 64;
constexpr std::int64_t kMaxBurst = 1000000000;
constexpr std::size_t kDigestDigits = 64;

constexpr std::array<std::string_view, 16> kMembers{
    "v",      "id",      "digest",     "name",    "owner", "scopes", "roles", "groups",
    "status", "created", "not_before", "expires", "rate",  "burst",  "cidr",  "labels"};

std::string quoted(std::string_view text) {
    return json_string(text);
}

bool is_id(std::string_view text) noexcept {
    return !text.empty() && text.size() <= kMaxIdSize &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '.' || c == '_' || c == '-';
           });
}

bool is_digest(std::string_view text) noexcept {
    return is_lower_hex(text, kDigestDigits);
}

// "100r/m": what gate_limit understands.
bool is_rate(std::string_view text) noexcept {
    constexpr std::size_t kMaxDigits = 9;
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    if (digits == 0 || digits > kMaxDigits || text.front() == '0') return false;
    const std::string_view unit = text.substr(digits);
    return unit == "r/s" || unit == "r/m" || unit == "r/h" || unit == "r/d";
}

std::optional<KeyStatus> find_status(std::string_view name) noexcept {
    for (KeyStatus status : {KeyStatus::kActive, KeyStatus::kSuspended, KeyStatus::kRevoked}) {
        if (name_of(status) == name) return status;
    }
    return std::nullopt;
}

Status<std::string> read_status(const MemberReader& reader, KeyStatus& target) {
    const auto found = find_status(reader.member("status").string().value_or(std::string_view{}));
    if (!found) return reader.wrong("status", "active, suspended or revoked");
    target = *found;
    return Done{};
}

Status<std::string> read_burst(const MemberReader& reader, std::optional<std::int64_t>& target) {
    const Value value = reader.member("burst");
    if (!value.present()) return Done{};
    const auto found = value.integer();
    if (!found || *found < 1 || *found > kMaxBurst) {
        return reader.wrong("burst", "an integer from 1 to " + std::to_string(kMaxBurst));
    }
    target = found;
    return Done{};
}

Status<std::string> read_networks(const MemberReader& reader, std::vector<Network>& target) {
    const Value value = reader.member("cidr");
    if (!value.present()) return Done{};
    const std::string expected =
        "an array of networks such as \"192.0.2.0/24\" (no address bits behind the prefix)";
    // An empty list could mean "from nowhere" or "from anywhere".
    if (!value.is(Kind::kArray) || value.size() == 0) return reader.wrong("cidr", expected);
    for (std::size_t i = 0; i < value.size(); ++i) {
        const auto network = Network::parse(value.at(i).string().value_or(std::string_view{}));
        if (!network) return reader.wrong("cidr", expected);
        target.push_back(*network);
    }
    return Done{};
}

Status<std::string> read_identity(const MemberReader& reader, Record& record) {
    if (auto done =
            reader.text("id", record.id, is_id, "1 to 64 letters, digits, '.', '_' and '-'", true);
        !done) {
        return done;
    }
    if (auto done = reader.text("digest", record.digest, is_digest,
                                "64 lower-case hexadecimal digits", true);
        !done) {
        return done;
    }
    const std::string expected = "a string without control characters";
    if (auto done = reader.text("name", record.name, jose::is_clean_text, expected, false); !done)
        return done;
    if (auto done = reader.text("owner", record.owner, jose::is_clean_text, expected, false); !done)
        return done;
    return read_status(reader, record.status);
}

Status<std::string> read_grants(const MemberReader& reader, Record& record) {
    if (auto done = reader.list("scopes", record.scopes); !done) return done;
    if (auto done = reader.list("roles", record.roles); !done) return done;
    if (auto done = reader.list("groups", record.groups); !done) return done;
    return reader.object("labels", record.labels);
}

Status<std::string> read_bounds(const MemberReader& reader, Record& record) {
    std::optional<Seconds> created;
    if (auto done = reader.instant("created", created); !done) return done;
    record.created = created.value_or(0);
    if (auto done = reader.instant("not_before", record.not_before); !done) return done;
    if (auto done = reader.instant("expires", record.expires); !done) return done;
    if (auto done = reader.text("rate", record.rate, is_rate, "a rate such as \"100r/m\"", false);
        !done) {
        return done;
    }
    if (auto done = read_burst(reader, record.burst); !done) return done;
    return read_networks(reader, record.networks);
}

void append_member(std::string& out, std::string_view name, std::string_view json) {
    if (out.size() > 1) out += ',';
    out.append(quoted(name)).append(":").append(json);
}

void append_text(std::string& out, std::string_view name, std::string_view text) {
    if (!text.empty()) append_member(out, name, quoted(text));
}

void append_instant(std::string& out, std::string_view name, std::optional<Seconds> when) {
    if (when) append_member(out, name, quoted(rfc3339(*when)));
}

void append_list(std::string& out, std::string_view name,
                 const std::vector<std::string>& elements) {
    if (elements.empty()) return;
    std::string json = "[";
    for (const std::string& element : elements)
        json += (json.size() > 1 ? "," : "") + quoted(element);
    append_member(out, name, json + "]");
}

}  // namespace

std::string_view name_of(KeyStatus status) noexcept {
    switch (status) {
        case KeyStatus::kActive:
            return "active";
        case KeyStatus::kSuspended:
            return "suspended";
        case KeyStatus::kRevoked:
            return "revoked";
    }
    return "";
}

Result<Record, std::string> Record::from_json(Value object, Values in_errors) {
    if (!object.is(Kind::kObject)) return fail(std::string("a record must be an object"));
    const MemberReader reader(object, in_errors);
    Record record;
    if (auto done = reader.check_members(kMembers, kVersion); !done) return fail(done.error());
    if (auto done = read_identity(reader, record); !done) return fail(done.error());
    if (auto done = read_grants(reader, record); !done) return fail(done.error());
    if (auto done = read_bounds(reader, record); !done) return fail(done.error());
    return record;
}

std::string Record::to_json() const {
    std::string out = "{";
    append_text(out, "id", id);
    append_text(out, "digest", digest);
    append_text(out, "name", name);
    append_text(out, "owner", owner);
    append_list(out, "scopes", scopes);
    append_list(out, "roles", roles);
    append_list(out, "groups", groups);
    append_text(out, "status", name_of(status));
    append_instant(out, "created", created != 0 ? std::optional(created) : std::nullopt);
    append_instant(out, "not_before", not_before);
    append_instant(out, "expires", expires);
    append_text(out, "rate", rate);
    if (burst) append_member(out, "burst", std::to_string(*burst));
    std::vector<std::string> cidr;
    for (const Network& network : networks) cidr.push_back(network.text());
    append_list(out, "cidr", cidr);
    if (labels.root().present()) append_member(out, "labels", labels.root().dump());
    return out + "}";
}

[[gnu::hot]] Status<Reason> check_record(const Record& record, Seconds now,
                                         Bytes client_address) noexcept {
    if (record.status == KeyStatus::kSuspended) return fail(Reason::kKeySuspended);
    if (record.status != KeyStatus::kActive) return fail(Reason::kKeyRevoked);
    if (record.not_before && now < *record.not_before) return fail(Reason::kKeyNotYet);
    if (record.expires && now >= *record.expires) return fail(Reason::kKeyExpired);
    const bool inside = std::any_of(record.networks.begin(), record.networks.end(),
                                    [&](const Network& n) { return n.contains(client_address); });
    if (!record.networks.empty() && !inside) return fail(Reason::kKeyAddress);
    return Done{};
}

}  // namespace gate::apikey
