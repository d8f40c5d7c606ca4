#include "apikey/key_table.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <unordered_map>

#include "apikey/key_digest.h"
#include "base/json_text.h"
#include "base/reason.h"

namespace gate::apikey {

namespace {

constexpr std::int64_t kFileVersion = 1;

std::string describe(std::size_t index, jose::Value record) {
    std::string text = "record " + std::to_string(index + 1);
    if (const auto id = record.member("id").string()) text += " (id " + json_string(*id) + ")";
    return text;
}

Status<std::string> check_frame(jose::Value root) {
    for (std::string_view name : root.member_names()) {
        if (name != "version" && name != "keys") {
            return fail("member " + json_string(name) + " is unknown; known are version, keys");
        }
    }
    if (root.member("version").integer() != kFileVersion) {
        return fail("member \"version\" must be " + std::to_string(kFileVersion));
    }
    if (!root.member("keys").is(jose::Value::Kind::kArray)) {
        return fail(std::string("member \"keys\" must be an array of records"));
    }
    return Done{};
}

// In a time that does not depend on the octets, and eight of them at a time.
bool equal(const crypto::Digest256& a, const crypto::Digest256& b) noexcept {
    std::uint64_t difference = 0;
    for (std::size_t i = 0; i < a.size(); i += sizeof(std::uint64_t)) {
        std::uint64_t x = 0;
        std::uint64_t y = 0;
        std::memcpy(&x, &a[i], sizeof x);
        std::memcpy(&y, &b[i], sizeof y);
        difference |= x ^ y;
    }
    return difference == 0;
}

}  // namespace

KeyTable::KeyTable(std::size_t capacity) : places_(std::bit_ceil(2 * capacity + 1)) {
    records_.reserve(capacity);
    digests_.reserve(capacity);
}

std::size_t KeyTable::place_of(const crypto::Digest256& digest) const noexcept {
    std::uint64_t first = 0;
    std::memcpy(&first, digest.data(), sizeof first);
    return first & (places_.size() - 1);
}

std::optional<std::size_t> KeyTable::index_of(const crypto::Digest256& digest) const noexcept {
    for (std::size_t at = place_of(digest); places_[at] != 0;
         at = (at + 1) & (places_.size() - 1)) {
        const std::size_t index = places_[at] - 1;
        if (equal(digests_[index], digest)) return index;
    }
    return std::nullopt;
}

void KeyTable::add(const crypto::Digest256& digest, Record record) {
    std::size_t at = place_of(digest);
    while (places_[at] != 0) at = (at + 1) & (places_.size() - 1);
    digests_.push_back(digest);
    records_.push_back(std::make_shared<const Record>(std::move(record)));
    places_[at] = static_cast<std::uint32_t>(digests_.size());
}

Result<KeyTable, std::string> KeyTable::parse(std::string_view json) {
    const auto document = jose::Document::parse(json, jose::kOperatorLimits);
    if (!document) return fail("not strict JSON (" + std::string(code(document.error())) + ")");
    const jose::Value root = document->root();
    if (auto framed = check_frame(root); !framed) return fail(framed.error());

    const jose::Value keys = root.member("keys");
    KeyTable table(keys.size());
    std::unordered_map<std::string_view, std::size_t> by_id;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        auto record = Record::from_json(keys.at(i));
        if (!record) return fail(describe(i, keys.at(i)) + ": " + record.error());
        const auto digest = parse_digest(record->digest).value_or(crypto::Digest256{});
        if (const auto twin = table.index_of(digest)) {
            return fail(describe(i, keys.at(i)) + ": same digest as record " +
                        std::to_string(*twin + 1));
        }
        table.add(digest, *std::move(record));
        const auto [other, added] = by_id.emplace(table.records_.back()->id, i);
        if (!added) {
            return fail(describe(i, keys.at(i)) + ": same id as record " +
                        std::to_string(other->second + 1));
        }
    }
    return table;
}

[[gnu::hot]] std::shared_ptr<const Record> KeyTable::find(
    const crypto::Digest256& digest) const noexcept {
    const auto index = index_of(digest);
    return index ? records_[*index] : nullptr;
}

std::string KeyTable::to_json(const std::vector<std::shared_ptr<const Record>>& records) {
    std::string out = "{\"version\":1,\"keys\":[";
    for (std::size_t i = 0; i < records.size(); ++i) {
        out += i == 0 ? "\n" : ",\n";
        out += records[i]->to_json();
    }
    return out + "\n]}\n";
}

}  // namespace gate::apikey
