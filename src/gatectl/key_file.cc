#include "gatectl/key_file.h"

#include <algorithm>
#include <array>

#include "apikey/key_table.h"
#include "base/json_text.h"
#include "crypto/digest.h"
#include "gatectl/output.h"

namespace gate::ctl {

namespace {

using apikey::KeyTable;
using apikey::Record;

constexpr std::size_t kIdOctets = 10;

Result<Records, std::string> parse_records(const std::string& path, std::string_view text) {
    const auto table = KeyTable::parse(text);
    if (!table) return fail(path + ": " + table.error());
    return table->records();
}

}  // namespace

Result<Records, std::string> read_key_file(const std::string& path) {
    const auto text = read_file(path, kMaxKeyFile);
    if (!text) return fail(text.error());
    return parse_records(path, *text);
}

Result<KeyFileChange, std::string> KeyFileChange::begin(const std::string& path, Missing missing) {
    auto file = FileChange::begin(path);
    if (!file) return fail(file.error());
    const auto text = file->read(kMaxKeyFile);
    if (!text) return fail(text.error());
    if (!*text) {
        if (missing == Missing::kRefuse) return fail(path + ": No such file or directory");
        return KeyFileChange(*std::move(file), {}, true);
    }
    auto records = parse_records(path, **text);
    if (!records) return fail(records.error());
    return KeyFileChange(*std::move(file), *std::move(records), false);
}

Status<std::string> KeyFileChange::commit() const {
    const std::string text = KeyTable::to_json(records_);
    if (text.size() > kMaxKeyFile) return fail(std::string("the file would be too large"));
    const auto again = KeyTable::parse(text);
    if (!again) return fail("the file would not load again: " + again.error());
    return file_.commit(text);
}

Result<std::size_t, std::string> find_record(const Records& records, std::string_view wanted) {
    std::vector<std::size_t> named;
    for (std::size_t i = 0; i < records.size(); ++i) {
        if (records[i]->id == wanted) return i;
        if (records[i]->name == wanted) named.push_back(i);
    }
    if (named.size() == 1) return named.front();
    if (named.empty()) return fail("no key has the id or name " + json_string(wanted));
    std::vector<std::string> ids;
    for (const std::size_t i : named) ids.push_back(records[i]->id);
    return fail(std::to_string(named.size()) + " keys have the name " + json_string(wanted) +
                "; say which by id: " + joined(ids));
}

std::string_view state_of(const Record& record, Seconds now) {
    if (record.status != apikey::KeyStatus::kActive) return name_of(record.status);
    if (record.expires && now >= *record.expires) return "expired";
    if (record.not_before && now < *record.not_before) return "not yet";
    return "active";
}

std::string public_json(const Record& record, Seconds now) {
    Record shown = record;
    shown.digest.clear();
    std::string json = shown.to_json();
    json.pop_back();
    return json + ",\"state\":" + json_string(state_of(record, now)) + "}";
}

std::optional<std::string> new_id(const Records& records) {
    for (;;) {
        std::array<std::uint8_t, kIdOctets> random{};
        if (!crypto::random_bytes(random)) return std::nullopt;
        std::string id = "k" + to_hex(random);
        const auto taken = [&id](const RecordPtr& record) { return record->id == id; };
        if (std::ranges::none_of(records, taken)) return id;
    }
}

}  // namespace gate::ctl
