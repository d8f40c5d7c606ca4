#include "redis/change.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/ascii.h"
#include "redis/decimal.h"

namespace gate::redis {

namespace {

constexpr std::size_t kMaxItem = 4096;  // octets; as cache/revocation_item.h writes them
constexpr std::size_t kDigestDigits = 64;
constexpr std::string_view kRevoked = "revoked";
constexpr std::string_view kKey = "key";
constexpr std::string_view kUser = "user";
constexpr std::size_t kMaxName = 256;  // octets
constexpr std::string_view kNever = "never";

std::optional<std::int64_t> parse_instant(std::string_view text) noexcept {
    const auto number = parse_decimal(text);
    if (!number || *number > std::numeric_limits<std::int64_t>::max()) return std::nullopt;
    return static_cast<std::int64_t>(*number);
}

Failure<std::string> wrong(const StreamId& id, std::string_view what) {
    return fail("entry " + id.text() + " " + std::string(what));
}

// Name and value in turn; nullptr for a name that is not there or stands there twice.
const std::string* field(const Reply& fields, std::string_view name) noexcept {
    const std::string* found = nullptr;
    for (std::size_t i = 0; i + 1 < fields.items.size(); i += 2) {
        if (fields.items[i].text != name) continue;
        if (found != nullptr) return nullptr;
        found = &fields.items[i + 1].text;
    }
    return found;
}

bool are_fields(const Reply& reply) noexcept {
    return reply.is(Reply::Type::kArray) && reply.items.size() % 2 == 0 &&
           std::ranges::all_of(reply.items,
                               [](const Reply& item) { return item.is(Reply::Type::kString); });
}

Result<Change, std::string> read_revoked(Change change, const Reply& fields) {
    const std::string* item = field(fields, "item");
    const std::string* forget = field(fields, "forget");
    if (item == nullptr || item->empty() || item->size() > kMaxItem) {
        return wrong(change.id, "has no field \"item\" of 1 to 4096 octets");
    }
    if (forget == nullptr) return wrong(change.id, "has no field \"forget\"");
    change.item = *item;
    if (*forget != kNever) {
        change.forget_at = parse_instant(*forget);
        if (!change.forget_at) {
            return wrong(change.id,
                         "has a field \"forget\" that is neither Unix seconds nor never");
        }
    }
    return change;
}

Result<Change, std::string> read_key(Change change, const Reply& fields) {
    const std::string* digest = field(fields, "digest");
    const std::string* key_id = field(fields, "id");
    if (digest == nullptr || !is_lower_hex(*digest, kDigestDigits)) {
        return wrong(change.id, "has no field \"digest\" of 64 lower-case hexadecimal digits");
    }
    if (key_id == nullptr || key_id->empty()) return wrong(change.id, "has no field \"id\"");
    change.digest = *digest;
    change.key_id = *key_id;
    return change;
}

Result<Change, std::string> read_user(Change change, const Reply& fields) {
    const std::string* name = field(fields, "name");
    if (name == nullptr || name->empty() || name->size() > kMaxName) {
        return wrong(change.id, "has no field \"name\" of 1 to 256 octets");
    }
    change.name = *name;
    return change;
}

Result<Change, std::string> read_change(const Reply& entry) {
    if (!entry.is(Reply::Type::kArray) || entry.items.size() != 2 ||
        !entry.items[0].is(Reply::Type::kString)) {
        return fail(std::string("an entry is not an id with its fields"));
    }
    const auto id = StreamId::parse(entry.items[0].text);
    if (!id) return fail(std::string("the id of an entry is not two numbers with '-' between"));
    Change change;
    change.id = *id;
    const Reply& fields = entry.items[1];
    if (!are_fields(fields)) return wrong(*id, "has no list of field names and values");
    const std::string* type = field(fields, "type");
    if (type == nullptr) return wrong(*id, "has no field \"type\"");
    if (*type == kRevoked) {
        change.kind = Change::Kind::kRevoked;
        return read_revoked(std::move(change), fields);
    }
    if (*type == kKey) {
        change.kind = Change::Kind::kKey;
        return read_key(std::move(change), fields);
    }
    if (*type == kUser) {
        change.kind = Change::Kind::kUser;
        return read_user(std::move(change), fields);
    }
    return change;
}

}  // namespace

std::optional<StreamId> StreamId::parse(std::string_view text) noexcept {
    const std::size_t dash = text.find('-');
    if (dash == text.npos) return std::nullopt;
    const auto time = parse_decimal(text.substr(0, dash));
    const auto number = parse_decimal(text.substr(dash + 1));
    if (!time || !number) return std::nullopt;
    return StreamId{*time, *number};
}

std::string StreamId::text() const {
    return std::to_string(time) + "-" + std::to_string(number);
}

std::vector<std::string> fields_of(const Change& change) {
    const auto text = [](std::string_view view) { return std::string(view); };
    switch (change.kind) {
        case Change::Kind::kRevoked:
            return {"type",   text(kRevoked),
                    "item",   change.item,
                    "forget", change.forget_at ? std::to_string(*change.forget_at) : text(kNever)};
        case Change::Kind::kKey:
            return {"type", text(kKey), "digest", change.digest, "id", change.key_id};
        case Change::Kind::kUser:
            return {"type", text(kUser), "name", change.name};
        case Change::Kind::kOther:
            break;
    }
    return {};
}

Result<std::vector<Change>, std::string> read_changes(const Reply& entries) {
    if (!entries.is(Reply::Type::kArray))
        return fail(std::string("the reply is no list of entries"));
    std::vector<Change> changes;
    changes.reserve(entries.items.size());
    for (const Reply& entry : entries.items) {
        auto change = read_change(entry);
        if (!change) return fail(change.error());
        changes.push_back(*std::move(change));
    }
    return changes;
}

const std::vector<Reply>* items_of_zscan(const Reply& page, std::string& cursor) {
    const bool shaped = page.is(Reply::Type::kArray) && page.items.size() == 2 &&
                        page.items[0].is(Reply::Type::kString) &&
                        page.items[1].is(Reply::Type::kArray) &&
                        page.items[1].items.size() % 2 == 0;
    if (!shaped) return nullptr;
    cursor = page.items[0].text;
    return &page.items[1].items;
}

const Reply* entries_of_xread(const Reply& reply, std::string_view stream, bool& good) noexcept {
    good = reply.is(Reply::Type::kNil);
    if (!reply.is(Reply::Type::kArray) || reply.items.size() != 1) return nullptr;
    const Reply& pair = reply.items.front();
    if (!pair.is(Reply::Type::kArray) || pair.items.size() != 2) return nullptr;
    const Reply& name = pair.items[0];
    const Reply& entries = pair.items[1];
    if (!name.is(Reply::Type::kString) || name.text != stream) return nullptr;
    if (!entries.is(Reply::Type::kArray)) return nullptr;
    good = true;
    return &entries;
}

}  // namespace gate::redis
