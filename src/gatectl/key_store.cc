#include "gatectl/key_store.h"

#include <array>

#include "base/bytes.h"
#include "base/json_text.h"
#include "base/text_list.h"
#include "crypto/digest.h"
#include "gatectl/key_file.h"
#include "gatectl/output.h"
#include "gatectl/redis_keys.h"
#include "gatectl/redis_options.h"

namespace gate::ctl {

namespace {

using apikey::Record;

constexpr std::size_t kIdOctets = 10;

}  // namespace

Result<ChosenKeyStore, std::string> choose_key_store(const Arguments& arguments,
                                                     std::size_t operands, MissingFile missing) {
    const std::vector<std::string>& words = arguments.positional();
    const bool file = words.size() > operands;
    auto options = redis_options(arguments, file);
    if (!options) return fail(options.error());
    ChosenKeyStore chosen;
    chosen.operands.assign(words.begin() + (file ? 1 : 0), words.end());
    if (file) {
        chosen.store = std::make_unique<FileKeyStore>(words.front(), missing);
    } else if (*options) {
        chosen.store = std::make_unique<RedisKeyStore>(**std::move(options));
    } else {
        return fail(std::string(operands > 0
                                    ? "give the FILE with the keys and an ID, or --redis ADDRESS "
                                      "and an ID"
                                    : "give the FILE with the keys, or --redis ADDRESS"));
    }
    return chosen;
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

std::string public_json(const Record& record, Seconds now, const KeyListing* listing) {
    Record shown = record;
    shown.digest.clear();
    std::string json = shown.to_json();
    json.pop_back();
    json += ",\"state\":" + json_string(state_of(record, now));
    if (listing != nullptr && listing->tells_use) {
        const auto used = listing->used.find(record.id);
        json += ",\"used\":";
        json += used != listing->used.end() ? json_string(rfc3339(used->second)) : "null";
    }
    return json + "}";
}

std::optional<std::string> new_id() {
    std::array<std::uint8_t, kIdOctets> random{};
    if (!crypto::random_bytes(random)) return std::nullopt;
    return "k" + to_hex(random);
}

}  // namespace gate::ctl
