#include "tests/support/journal_support.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

namespace {

std::vector<gate::cache::SyncLog::Sync>* syncs = nullptr;

}  // namespace

// In place of libc's, for the whole test program: does the same, and tells who watches.
extern "C" int fsync(int fd) {
    if (syncs != nullptr) {
        std::array<char, 4096> name{};
        const std::string link = "/proc/self/fd/" + std::to_string(fd);
        struct stat status {};
        if (readlink(link.c_str(), name.data(), name.size() - 1) > 0 && fstat(fd, &status) == 0) {
            syncs->push_back({name.data(), static_cast<std::size_t>(status.st_size)});
        }
    }
    return static_cast<int>(syscall(SYS_fsync, fd));
}

namespace gate::cache {

SyncLog::SyncLog() {
    syncs = new std::vector<Sync>;
}

SyncLog::~SyncLog() {
    delete std::exchange(syncs, nullptr);
}

const std::vector<SyncLog::Sync>& SyncLog::synced() const {
    return *syncs;
}

void JournalFile::SetUp() {
    std::string pattern = testing::TempDir() + "gate-journal-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = std::filesystem::canonical(pattern).string();
}

void JournalFile::TearDown() {
    std::filesystem::remove_all(directory_);
}

std::string JournalFile::read() const {
    std::ostringstream text;
    text << std::ifstream(path(), std::ios::binary).rdbuf();
    return text.str();
}

void JournalFile::write(std::string_view text, const std::string& name) const {
    std::ofstream(directory_ + "/" + name, std::ios::binary) << text;
}

std::string JournalFile::names() const {
    std::vector<std::string> found;
    for (const auto& file : std::filesystem::directory_iterator(directory_)) {
        found.push_back(file.path().filename().string());
    }
    std::ranges::sort(found);
    std::string text;
    for (const auto& name : found) text += (text.empty() ? "" : " ") + name;
    return text;
}

JournalEntry JournalFile::entry(const std::string& value) {
    return {1800000000, RevocationKind::kJti, "issuer", value, kEveryInstant, kNeverForgotten};
}

std::string JournalFile::append(const std::vector<JournalEntry>& entries) const {
    const auto done = append_to_journal(path(), entries);
    return done ? "" : done.error();
}

std::string JournalFile::values() const {
    std::string text;
    const auto done = read_journal(
        path(), [&](const JournalEntry& e) { text += (text.empty() ? "" : " ") + e.value; });
    if (done) return text;
    const auto& [line, problem] = done.error();
    return text + (text.empty() ? "" : " ") + std::to_string(line) + ": " + problem;
}

}  // namespace gate::cache
