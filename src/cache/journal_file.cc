#include "cache/journal_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "base/descriptor.h"

namespace gate::cache {

namespace {

constexpr mode_t kNewFileMode = 0640;
constexpr int kOpenFlags = O_RDWR | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW;
constexpr mode_t kModeBits = 07777;
// A stopped process may hold the lock for ever: nobody waits longer than this.
constexpr int kPatienceMilliseconds = 10000;
constexpr int kRetryMilliseconds = 2;
constexpr std::size_t kChunk = std::size_t{256} << 10;

std::string system_error(const std::string& path, std::string_view what) {
    return path + ": cannot " + std::string(what) + ": " + std::generic_category().message(errno);
}

// Up to `size` octets at `offset`; fewer at the end of the file.
Result<std::string, std::string> read_at(const std::string& path, int fd, off_t offset,
                                         std::size_t size) {
    std::string text(size, '\0');
    std::size_t filled = 0;
    while (filled < size) {
        const ssize_t got =
            pread(fd, text.data() + filled, size - filled, offset + static_cast<off_t>(filled));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail(system_error(path, "read"));
        if (got == 0) break;
        filled += static_cast<std::size_t>(got);
    }
    text.resize(filled);
    return text;
}

enum class Missing { kCreate, kRefuse };

// The journal held for a change: the file that stands at the path, locked.
class Held {
public:
    static Result<Held, std::string> take(const std::string& path, Missing missing);

    int fd() const noexcept { return fd_.get(); }
    const std::string& path() const noexcept { return path_; }
    const struct stat& status() const noexcept { return status_; }

    // So that the name of the file is as durable as what it holds. Every time: whoever created the
    // file or renamed it may have died before doing this.
    Status<std::string> sync_directory() const;
    // Cuts off what somebody did not finish; the size then.
    Result<off_t, std::string> cut_tail() const;

private:
    Held(std::string path, Descriptor fd, const struct stat& status)
        : path_(std::move(path)), fd_(std::move(fd)), status_(status) {}

    std::string path_;  // without links
    Descriptor fd_;
    struct stat status_;
};

std::string directory_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

// The path behind all links: what a rename has to replace.
std::string resolved(const std::string& path) {
    const std::unique_ptr<char, decltype(&std::free)> real(realpath(path.c_str(), nullptr),
                                                           &std::free);
    return real ? real.get() : path;
}

Status<std::string> lock(const std::string& path, int fd) {
    for (int waited = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; waited += kRetryMilliseconds) {
        if (errno != EWOULDBLOCK && errno != EINTR) return fail(system_error(path, "lock"));
        if (waited >= kPatienceMilliseconds) {
            return fail(path + ": another process holds its lock for too long");
        }
        usleep(kRetryMilliseconds * 1000);
    }
    return Done{};
}

// A new file belongs to whom its directory belongs to, so that what root creates where nginx's
// workers keep their state is theirs. Others than root cannot give files away; errno is set.
Descriptor create(const std::string& path) {
    Descriptor fd(open(path.c_str(), kOpenFlags | O_CREAT | O_EXCL, kNewFileMode));
    struct stat directory {};
    if (!fd || geteuid() != 0 || stat(directory_of(path).c_str(), &directory) != 0) return fd;
    if (fchown(fd.get(), directory.st_uid, directory.st_gid) == 0) return fd;
    unlink(path.c_str());
    return Descriptor();
}

Result<Held, std::string> Held::take(const std::string& path, Missing missing) {
    // Another round only after another process has replaced the file.
    for (;;) {
        const std::string real = resolved(path);
        Descriptor fd(open(real.c_str(), kOpenFlags));
        if (!fd && errno == ENOENT && missing == Missing::kCreate) {
            fd = create(real);
            if (!fd && errno == EEXIST) continue;
        }
        struct stat status {};
        if (!fd || fstat(fd.get(), &status) != 0) return fail(system_error(path, "open"));
        if (!S_ISREG(status.st_mode)) return fail(path + ": is no regular file");
        if (const auto locked = lock(path, fd.get()); !locked) return fail(locked.error());
        struct stat there {};
        if (lstat(real.c_str(), &there) != 0 && errno != ENOENT) {
            return fail(system_error(path, "look at"));
        }
        if (there.st_ino == status.st_ino && there.st_dev == status.st_dev) {
            return Held(real, std::move(fd), status);
        }
    }
}

Status<std::string> Held::sync_directory() const {
    const std::string directory = directory_of(path_);
    const Descriptor fd(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd || fsync(fd.get()) != 0) return fail(system_error(directory, "sync"));
    return Done{};
}

Result<off_t, std::string> Held::cut_tail() const {
    struct stat now {};
    if (fstat(fd(), &now) != 0) return fail(system_error(path_, "look at"));
    const off_t from = std::max<off_t>(0, now.st_size - off_t{kMaxJournalLine});
    const auto end = read_at(path_, fd(), from, kMaxJournalLine);
    if (!end) return fail(end.error());
    const std::size_t feed = end->rfind('\n');
    if (feed == std::string::npos && from > 0) {
        return fail(path_ + ": its end is no line; see gatectl revoke check");
    }
    const std::size_t whole = feed == std::string::npos ? 0 : feed + 1;
    if (whole == end->size()) return now.st_size;
    if (const auto problem = unfinished_line_problem(std::string_view(*end).substr(whole));
        !problem.empty()) {
        return fail(path_ + ": its last line " + problem);
    }
    const off_t size = from + static_cast<off_t>(whole);
    if (ftruncate(fd(), size) != 0) return fail(system_error(path_, "cut the last line of"));
    return size;
}

std::string item_of(const JournalEntry& entry) {
    std::string item(name_of(entry.kind));
    item.append(" ").append(std::to_string(entry.issuer.size()));
    return item.append(" ").append(entry.issuer).append(entry.value);
}

bool covers(const JournalEntry& a, const JournalEntry& b) noexcept {
    return a.issued_until >= b.issued_until && a.expires >= b.expires;
}

// The lines to keep, in their order.
class Compaction {
public:
    explicit Compaction(Seconds now) noexcept : now_(now) {}

    void take(const JournalEntry& entry) {
        ++read_;
        if (entry.expires != kNeverForgotten && Seconds{entry.expires} <= now_) return;
        std::vector<std::size_t>& same = items_[item_of(entry)];
        const auto covered = [&](std::size_t i) { return covers(kept_[i].entry, entry); };
        if (std::ranges::any_of(same, covered)) return;
        std::erase_if(same, [&](std::size_t i) {
            kept_[i].dropped = covers(entry, kept_[i].entry);
            return kept_[i].dropped;
        });
        same.push_back(kept_.size());
        kept_.push_back({entry});
    }

    std::string text() const {
        std::string text;
        for (const Kept& kept : kept_) {
            if (!kept.dropped) text += format_journal_line(kept.entry);
        }
        return text;
    }

    std::size_t left_out() const {
        const auto kept = std::ranges::count(kept_, false, &Kept::dropped);
        return read_ - static_cast<std::size_t>(kept);
    }

private:
    struct Kept {
        JournalEntry entry;
        bool dropped = false;
    };

    Seconds now_;
    std::size_t read_ = 0;
    std::vector<Kept> kept_;
    std::unordered_map<std::string, std::vector<std::size_t>> items_;
};

// The new file with owner, group and mode of the old one, on the disk.
Status<std::string> write_beside(const Held& journal, const std::string& temporary,
                                 std::string_view text) {
    const Descriptor fd(open(temporary.c_str(),
                             O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, kNewFileMode));
    if (!fd) return fail(system_error(temporary, "create"));
    const struct stat& old = journal.status();
    struct stat mine {};
    if (fstat(fd.get(), &mine) != 0) return fail(system_error(temporary, "look at"));
    const bool differs = mine.st_uid != old.st_uid || mine.st_gid != old.st_gid;
    if (differs && fchown(fd.get(), old.st_uid, old.st_gid) != 0) {
        return fail(system_error(journal.path(), "keep owner and group of"));
    }
    if (fchmod(fd.get(), old.st_mode & kModeBits) != 0) {
        return fail(system_error(temporary, "set the mode of"));
    }
    if (!write_all(fd.get(), text)) return fail(system_error(temporary, "write"));
    if (fsync(fd.get()) != 0) return fail(system_error(temporary, "sync"));
    return Done{};
}

}  // namespace

Status<std::string> append_to_journal(const std::string& path,
                                      const std::vector<JournalEntry>& entries) {
    std::string text;
    for (const JournalEntry& entry : entries) {
        const std::string line = format_journal_line(entry);
        if (line.size() > kMaxJournalLine) {
            return fail(path + ": issuer and value are too long for a line of " +
                        std::to_string(kMaxJournalLine) + " octets");
        }
        text += line;
    }
    const auto journal = Held::take(path, Missing::kCreate);
    if (!journal) return fail(journal.error());
    if (auto synced = journal->sync_directory(); !synced) return synced;
    const auto size = journal->cut_tail();
    if (!size) return fail(size.error());
    if (!write_all(journal->fd(), text)) {
        const std::string problem = system_error(path, "write");
        // A line that is not whole is cut off by the next writer anyway; whole ones would count.
        if (ftruncate(journal->fd(), *size) != 0) return fail(problem + "; not undone");
        return fail(problem);
    }
    if (fsync(journal->fd()) != 0) return fail(system_error(path, "sync"));
    return Done{};
}

Status<JournalProblem> read_journal(const std::string& path,
                                    const std::function<void(const JournalEntry&)>& take) {
    const Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat status {};
    if (!fd || fstat(fd.get(), &status) != 0) {
        return fail(JournalProblem{0, system_error(path, "open")});
    }
    if (!S_ISREG(status.st_mode)) return fail(JournalProblem{0, path + ": is no regular file"});
    off_t offset = 0;  // of the line that comes next
    std::size_t line = 0;
    std::string suspect;
    for (;;) {
        const auto chunk = read_at(path, fd.get(), offset, kChunk);
        if (!chunk) return fail(JournalProblem{0, chunk.error()});
        std::string_view rest = *chunk;
        std::string problem;
        std::size_t feed = rest.find('\n');
        for (; feed != rest.npos; feed = rest.find('\n')) {
            const auto entry = parse_journal_line(rest.substr(0, feed));
            if (!entry) {
                problem = entry.error();
                break;
            }
            take(*entry);
            ++line;
            offset += static_cast<off_t>(feed + 1);
            rest.remove_prefix(feed + 1);
        }
        if (problem.empty()) {
            if (chunk->size() == kChunk && rest.size() < kMaxJournalLine) continue;
            problem = unfinished_line_problem(rest);
        }
        if (problem.empty()) return Done{};
        // A writer may have put its line in the place of an unfinished one while this was read:
        // half of one and half of the other. Damage stays as it is.
        rest = rest.substr(0, std::min(feed, kMaxJournalLine));
        if (rest == suspect) return fail(JournalProblem{line + 1, problem});
        suspect = rest;
    }
}

Result<std::size_t, std::string> compact_journal(const std::string& path, Seconds now) {
    const auto journal = Held::take(path, Missing::kRefuse);
    if (!journal) return fail(journal.error());
    Compaction compaction(now);
    const auto read =
        read_journal(journal->path(), [&](const JournalEntry& entry) { compaction.take(entry); });
    if (!read) {
        const auto& [line, text] = read.error();
        return fail(line == 0 ? text : path + ":" + std::to_string(line) + ": " + text);
    }
    if (compaction.left_out() == 0) return std::size_t{0};
    // One name, so that what a killed process left is found; the lock keeps others from using it.
    const std::string temporary = journal->path() + ".compact";
    unlink(temporary.c_str());
    auto written = write_beside(*journal, temporary, compaction.text());
    if (written && rename(temporary.c_str(), journal->path().c_str()) != 0) {
        written = fail(system_error(path, "replace"));
    }
    if (!written) {
        unlink(temporary.c_str());
        return fail(written.error());
    }
    if (auto synced = journal->sync_directory(); !synced) return fail(synced.error());
    return compaction.left_out();
}

}  // namespace gate::cache
