// Key files (apikey/key_table.h) for the commands that read and change them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apikey/record.h"
#include "base/result.h"
#include "base/time.h"
#include "gatectl/files.h"

namespace gate::ctl {

using RecordPtr = std::shared_ptr<const apikey::Record>;
using Records = std::vector<RecordPtr>;

// All records of a key file; a broken file is refused. Errors are sentences with the path.
Result<Records, std::string> read_key_file(const std::string& path);

// A key file held for a change: read, change records(), commit().
class KeyFileChange {
public:
    enum class Missing { kRefuse, kCreate };
    static Result<KeyFileChange, std::string> begin(const std::string& path, Missing missing);

    Records& records() noexcept { return records_; }
    bool created() const noexcept { return created_; }
    // Refuses a text that would not load again.
    Status<std::string> commit() const;

private:
    KeyFileChange(FileChange file, Records records, bool created)
        : file_(std::move(file)), records_(std::move(records)), created_(created) {}

    FileChange file_;
    Records records_;
    bool created_;
};

// The place of the record with that id, or with that name if only one has it.
Result<std::size_t, std::string> find_record(const Records& records, std::string_view wanted);

// "active", "suspended", "revoked", "expired" or "not yet": what a request with the key would meet.
std::string_view state_of(const apikey::Record& record, Seconds now);

// The record's JSON form without its digest.
std::string public_json(const apikey::Record& record, Seconds now);

// A new random id that no record has; nullopt when the machine has no entropy.
std::optional<std::string> new_id(const Records& records);

}  // namespace gate::ctl
