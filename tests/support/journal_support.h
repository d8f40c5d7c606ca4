// A journal in a directory of the test's own, and what was synced to the disk.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "cache/journal_file.h"

namespace gate::cache {

class JournalFile : public testing::Test {
protected:
    void SetUp() override;
    void TearDown() override;

    const std::string& directory() const { return directory_; }
    std::string path() const { return directory_ + "/journal"; }
    std::string read() const;
    void write(std::string_view text, const std::string& name = "journal") const;
    std::string names() const;  // in the directory, sorted, a blank between two

    static JournalEntry entry(const std::string& value);
    static std::string line(const std::string& value) { return format_journal_line(entry(value)); }
    // The error, or "".
    std::string append(const std::vector<JournalEntry>& entries) const;
    // The values in the journal, a blank between two; then "LINE: problem" if there is one.
    std::string values() const;

private:
    std::string directory_;
};

// Watches fsync() in this process for as long as it lives.
class SyncLog {
public:
    struct Sync {
        std::string name;  // of the file or directory
        std::size_t size;  // at that moment
    };
    SyncLog();
    ~SyncLog();
    SyncLog(const SyncLog&) = delete;
    SyncLog& operator=(const SyncLog&) = delete;
    const std::vector<Sync>& synced() const;
};

}  // namespace gate::cache
