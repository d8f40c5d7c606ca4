#include "gatectl/key_file.h"

#include <algorithm>

#include "apikey/key_table.h"

namespace gate::ctl {

namespace {

using apikey::KeyTable;
using apikey::Record;

Result<Records, std::string> parse_records(const std::string& path, std::string_view text) {
    const auto table = KeyTable::parse(text);
    if (!table) return fail(path + ": " + table.error());
    return table->records();
}

class RecordsEdit final : public KeyEdit {
public:
    explicit RecordsEdit(Records& records) : records_(records) {}

    Result<RecordPtr, Refusal> find(std::string_view wanted) override {
        const auto place = find_record(records_, wanted);
        if (!place) return fail(Refusal{place.error()});
        return records_[*place];
    }

    Result<bool, Refusal> is_free(const Record& record) override {
        return std::ranges::none_of(records_, [&](const RecordPtr& other) {
            return other->id == record.id || other->digest == record.digest;
        });
    }

    void put(RecordPtr record) override {
        changed_ = true;
        const auto same = std::ranges::find(records_, record->id, [](const RecordPtr& other) {
            return std::string_view(other->id);
        });
        if (same == records_.end()) {
            records_.push_back(std::move(record));
        } else {
            *same = std::move(record);
        }
    }

    bool changed() const noexcept { return changed_; }

private:
    Records& records_;
    bool changed_ = false;
};

}  // namespace

Result<Records, std::string> read_key_file(const std::string& path) {
    const auto text = read_file(path, kMaxKeyFile);
    if (!text) return fail(text.error());
    return parse_records(path, *text);
}

Result<KeyFileChange, std::string> KeyFileChange::begin(const std::string& path,
                                                        MissingFile missing) {
    auto file = FileChange::begin(path);
    if (!file) return fail(file.error());
    const auto text = file->read(kMaxKeyFile);
    if (!text) return fail(text.error());
    if (!*text) {
        if (missing == MissingFile::kRefuse) return fail(path + ": No such file or directory");
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

Result<KeyListing, std::string> FileKeyStore::list() {
    auto records = read_key_file(path_);
    if (!records) return fail(records.error());
    KeyListing listing;
    listing.records = *std::move(records);
    return listing;
}

Result<KeyListing, std::string> FileKeyStore::find(std::string_view wanted) {
    auto listing = list();
    if (!listing) return listing;
    const auto place = find_record(listing->records, wanted);
    if (!place) return fail(place.error());
    listing->records = {listing->records[*place]};
    return listing;
}

Result<RecordPtr, std::string> FileKeyStore::find_digest(std::span<const std::string> digests) {
    const auto records = read_key_file(path_);
    if (!records) return fail(records.error());
    for (const RecordPtr& record : *records) {
        if (std::ranges::find(digests, record->digest) != digests.end()) return record;
    }
    return RecordPtr();
}

Result<Outcome, std::string> FileKeyStore::change(const Edit& edit) {
    auto change = KeyFileChange::begin(path_, missing_);
    if (!change) return fail(change.error());
    RecordsEdit records(change->records());
    if (const auto done = edit(records); !done) return fail(done.error().text);
    Outcome outcome;
    if (!records.changed()) return outcome;
    if (const auto done = change->commit(); !done) return fail(done.error());
    if (change->created()) {
        outcome.notes.push_back(path_ +
                                " is new and readable by its owner only; nginx's workers must be "
                                "able to read it (chgrp, then chmod 640)");
    }
    return outcome;
}

}  // namespace gate::ctl
