// What a store holds as text, and what comes back of it. The first line says what follows:
//   record  a hash: names and values in turn, a line each
//   change  an entry of the stream: its id, then names and values, a line each
//   item    a revocation as one word
//   parts   kind, issuer, value, instant of a revocation, a line each
#include <jansson.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "apikey/record_fields.h"
#include "cache/revocation_item.h"
#include "redis/change.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace gate;
using JsonPtr = std::unique_ptr<json_t, void (*)(json_t*)>;

JsonPtr load(std::string_view text) {
    constexpr std::size_t kFlags = JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES;
    return {json_loadb(text.data(), text.size(), kFlags, nullptr),
            [](json_t* json) { json_decref(json); }};
}

std::vector<apikey::Field> pairs_of(const std::vector<std::string>& texts) {
    GATE_INVARIANT(texts.size() % 2 == 0);
    std::vector<apikey::Field> pairs;
    for (std::size_t i = 0; i < texts.size(); i += 2) pairs.emplace_back(texts[i], texts[i + 1]);
    return pairs;
}

// No field says more than it should: a list is what its text is as a whole.
void check_lists(const std::map<std::string_view, std::string_view>& fields,
                 const apikey::Record& record) {
    const struct {
        const char* name;
        const std::vector<std::string>& list;
    } lists[] = {{"scopes", record.scopes}, {"roles", record.roles}, {"groups", record.groups}};
    for (const auto& [name, list] : lists) {
        const auto field = fields.find(name);
        if (field == fields.end()) {
            GATE_INVARIANT(list.empty());
            continue;
        }
        const JsonPtr json = load(field->second);
        GATE_INVARIANT(json_is_array(json.get()) && json_array_size(json.get()) == list.size());
        for (std::size_t i = 0; i < list.size(); ++i) {
            const json_t* element = json_array_get(json.get(), i);
            GATE_INVARIANT(json_string_value(element) == list[i]);
        }
    }
    const auto labels = fields.find("labels");
    if (labels != fields.end()) {
        GATE_INVARIANT(
            json_equal(load(labels->second).get(), load(record.labels.root().dump()).get()) == 1);
    }
    const auto networks = fields.find("cidr");
    GATE_INVARIANT(record.networks.empty() == (networks == fields.end()));
}

void check_texts(const std::map<std::string_view, std::string_view>& fields,
                 const apikey::Record& record) {
    const auto text = [&](std::string_view name) {
        const auto field = fields.find(name);
        return field == fields.end() ? std::string_view() : field->second;
    };
    GATE_INVARIANT(text("v") == "1");
    GATE_INVARIANT(record.id == text("id") && record.digest == text("digest"));
    GATE_INVARIANT(record.name == text("name") && record.owner == text("owner"));
    GATE_INVARIANT(record.rate == text("rate") && name_of(record.status) == text("status"));
    GATE_INVARIANT(record.expires.has_value() == fields.contains("expires"));
    GATE_INVARIANT(record.not_before.has_value() == fields.contains("not_before"));
    GATE_INVARIANT(record.burst.has_value() == fields.contains("burst"));
}

void check_record(const std::vector<std::string>& texts) {
    const std::vector<apikey::Field> fields = pairs_of(texts);
    const auto record = apikey::record_of_fields(fields);
    if (!record) {
        GATE_INVARIANT(record.error().starts_with("field \"") || record.error().starts_with("as "));
        // A word that no sentence of ours holds; names are told, values are not.
        const bool named = std::ranges::any_of(fields, [](const apikey::Field& field) {
            return field.first.find("s3cr3t") != std::string_view::npos;
        });
        GATE_INVARIANT(named || record.error().find("s3cr3t") == std::string::npos);
        return;
    }
    const std::map<std::string_view, std::string_view> map(fields.begin(), fields.end());
    GATE_INVARIANT(map.size() == fields.size());
    check_texts(map, *record);
    check_lists(map, *record);
    const std::vector<std::string> written = apikey::fields_of_record(*record);
    const auto again = apikey::record_of_fields(pairs_of(written));
    GATE_INVARIANT(again && again->to_json() == record->to_json());
    GATE_INVARIANT(apikey::fields_of_record(*again) == written);
}

redis::Reply string(std::string_view text) {
    redis::Reply reply;
    reply.type = redis::Reply::Type::kString;
    reply.text = text;
    return reply;
}

redis::Reply array(std::vector<redis::Reply> items) {
    redis::Reply reply;
    reply.type = redis::Reply::Type::kArray;
    reply.items = std::move(items);
    return reply;
}

redis::Reply entry(std::string_view id, const std::vector<std::string>& texts) {
    std::vector<redis::Reply> fields;
    for (const std::string& text : texts) fields.push_back(string(text));
    return array({string(id), array(std::move(fields))});
}

void check_change(std::string_view id, const std::vector<std::string>& texts) {
    using Kind = redis::Change::Kind;
    const redis::Reply reply = array({array({string("log"), array({entry(id, texts)})})});
    bool good = false;
    const redis::Reply* entries = redis::entries_of_xread(reply, "log", good);
    GATE_INVARIANT(good && entries != nullptr);
    const auto changes = redis::read_changes(*entries);
    if (!changes) {
        GATE_INVARIANT(!changes.error().empty());
        for (const char c : changes.error()) GATE_INVARIANT(c >= 0x20 && c < 0x7f);
        return;
    }
    GATE_INVARIANT(changes->size() == 1);
    const redis::Change& change = changes->front();
    GATE_INVARIANT(change.id.text() == id);
    GATE_INVARIANT(change.item.size() <= cache::kMaxRevocationItem);
    GATE_INVARIANT((change.kind == Kind::kRevoked) == !change.item.empty());
    GATE_INVARIANT((change.kind == Kind::kKey) == (change.digest.size() == 64));
    const std::vector<std::string> written = redis::fields_of(change);
    GATE_INVARIANT(written.empty() == (change.kind == Kind::kOther));
    // Each of them was there, by its name.
    for (std::size_t i = 0; i < written.size(); i += 2) {
        std::size_t found = 0;
        for (std::size_t j = 0; j < texts.size(); j += 2) {
            if (texts[j] != written[i]) continue;
            ++found;
            GATE_INVARIANT(texts[j + 1] == written[i + 1]);
        }
        GATE_INVARIANT(found == 1);
    }
}

void check_item(std::string_view text) {
    const auto item = cache::parse_item(text);
    if (!item) return;
    GATE_INVARIANT(cache::format_item(*item) == text);
    GATE_INVARIANT(text.size() <= cache::kMaxRevocationItem);
}

void check_parts(fuzz::Input input) {
    cache::RevocationItem item;
    const auto kind = cache::find_revocation_kind(input.line());
    if (!kind) return;
    item.kind = *kind;
    item.issuer = input.line();
    item.value = input.line();
    if (item.kind == cache::RevocationKind::kAll) item.value.clear();
    for (const char c : input.line())
        item.issued_until = item.issued_until * 31 + static_cast<std::uint8_t>(c);
    const std::string text = cache::format_item(item);
    for (const char c : text) GATE_INVARIANT(c > 0x20 && c < 0x7f);
    const auto parsed = cache::parse_item(text);
    GATE_INVARIANT(parsed.has_value() == (text.size() <= cache::kMaxRevocationItem));
    if (parsed) GATE_INVARIANT(*parsed == item);
}

std::vector<std::string> pairs_in(fuzz::Input& input) {
    std::vector<std::string> texts;
    while (!input.empty()) {
        texts.emplace_back(input.line());
        texts.emplace_back(input.line());
    }
    return texts;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    gate::fuzz::Input input(data, size);
    const std::string_view what = input.line();
    if (what == "record") {
        check_record(pairs_in(input));
    } else if (what == "change") {
        const std::string_view id = input.line();
        check_change(id, pairs_in(input));
    } else if (what == "parts") {
        check_parts(input);
    } else {
        check_item(input.rest());
    }
    return 0;
}
