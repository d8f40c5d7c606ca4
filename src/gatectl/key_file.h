// Key files (apikey/key_table.h) for the commands that read and change them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "gatectl/files.h"
#include "gatectl/key_store.h"

namespace gate::ctl {

// All records of a key file; a broken file is refused. Errors are sentences with the path.
Result<Records, std::string> read_key_file(const std::string& path);

// A key file held for a change: read, change records(), commit().
class KeyFileChange {
public:
    static Result<KeyFileChange, std::string> begin(const std::string& path, MissingFile missing);

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

class FileKeyStore final : public KeyStore {
public:
    FileKeyStore(std::string path, MissingFile missing)
        : path_(std::move(path)), missing_(missing) {}

    Result<KeyListing, std::string> list() override;
    Result<KeyListing, std::string> find(std::string_view wanted) override;
    Result<RecordPtr, std::string> find_digest(std::span<const std::string> digests) override;
    Result<Outcome, std::string> change(const Edit& edit) override;

private:
    std::string path_;
    MissingFile missing_;
};

}  // namespace gate::ctl
