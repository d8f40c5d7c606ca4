#include "gatectl/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <system_error>

namespace gate::ctl {

namespace {

constexpr mode_t kModeBits = 07777;
constexpr int kRetryMilliseconds = 10;

struct Place {
    std::string directory;
    std::string name;
};

// Where the file behind all links is, or would be.
Result<Place, std::string> resolve(const std::string& path) {
    const std::unique_ptr<char, decltype(&std::free)> real(realpath(path.c_str(), nullptr),
                                                           &std::free);
    if (!real && errno != ENOENT) return fail(system_error(path));
    if (!real) {
        struct stat status {};
        if (lstat(path.c_str(), &status) == 0) return fail(path + ": is a link to nothing");
    }
    const std::string whole = real ? real.get() : path;
    const std::size_t slash = whole.rfind('/');
    Place place{slash == std::string::npos ? "." : whole.substr(0, slash + 1),
                slash == std::string::npos ? whole : whole.substr(slash + 1)};
    if (place.name.empty() || place.name == "." || place.name == "..") {
        return fail(path + ": is no name of a file");
    }
    return place;
}

// A stopped process may hold the lock for ever: do not wait as long as that.
bool lock_with_patience(int fd, int patience_ms) {
    for (int waited = 0;; waited += kRetryMilliseconds) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) return true;
        if ((errno != EWOULDBLOCK && errno != EINTR) || waited >= patience_ms) return false;
        usleep(kRetryMilliseconds * 1000);
    }
}

}  // namespace

std::string system_error(std::string_view path) {
    return std::string(path) + ": " + std::generic_category().message(errno);
}

Result<std::string, std::string> read_text(int fd, std::size_t limit) {
    auto text = read_all(fd, limit);
    if (text) return *std::move(text);
    if (errno != 0) return fail(std::generic_category().message(errno));
    return fail("is larger than " + std::to_string(limit >> 10) + " KiB");
}

Result<std::string, std::string> read_file(const std::string& path, std::size_t limit) {
    // Not blocking: a FIFO in place of the file must not hang the tool.
    const Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat status {};
    if (!fd || fstat(fd.get(), &status) != 0) return fail(system_error(path));
    if (!S_ISREG(status.st_mode)) return fail(path + ": is no regular file");
    auto text = read_text(fd.get(), limit);
    if (!text) return fail(path + ": " + text.error());
    return text;
}

Result<FileChange, std::string> FileChange::begin(const std::string& path, int patience_ms) {
    const auto place = resolve(path);
    if (!place) return fail(place.error());
    Descriptor directory(open(place->directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory) return fail(system_error(place->directory));
    if (!lock_with_patience(directory.get(), patience_ms)) {
        return fail(path + ": another process is changing this directory's key files");
    }
    return FileChange(std::move(directory), path, place->name);
}

Result<std::optional<std::string>, std::string> FileChange::read(std::size_t limit) const {
    const Descriptor fd(
        openat(directory_.get(), name_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
    if (!fd && errno == ENOENT) return std::optional<std::string>();
    struct stat status {};
    if (!fd || fstat(fd.get(), &status) != 0) return fail(system_error(path_));
    if (!S_ISREG(status.st_mode)) return fail(path_ + ": is no regular file");
    auto text = read_text(fd.get(), limit);
    if (!text) return fail(path_ + ": " + text.error());
    return std::optional<std::string>(*std::move(text));
}

Status<std::string> FileChange::copy_ownership(int fd) const {
    struct stat old {};
    if (fstatat(directory_.get(), name_.c_str(), &old, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) return Done{};
        return fail(system_error(path_));
    }
    struct stat mine {};
    if (fstat(fd, &mine) != 0) return fail(system_error(path_));
    const bool differs = mine.st_uid != old.st_uid || mine.st_gid != old.st_gid;
    if (differs && fchown(fd, old.st_uid, old.st_gid) != 0) {
        return fail(path_ +
                    ": cannot keep its owner and group: " + std::generic_category().message(errno));
    }
    if (fchmod(fd, old.st_mode & kModeBits) != 0) return fail(system_error(path_));
    return Done{};
}

Status<std::string> FileChange::write_temporary(const std::string& temporary, std::string_view text,
                                                mode_t mode) const {
    const Descriptor fd(openat(directory_.get(), temporary.c_str(),
                               O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
    if (!fd) return fail(system_error(path_));
    if (const auto owned = copy_ownership(fd.get()); !owned) return owned;
    if (!write_all(fd.get(), text) || fsync(fd.get()) != 0) return fail(system_error(path_));
    return Done{};
}

Status<std::string> FileChange::commit(std::string_view text, mode_t mode) const {
    // One name, so that what a killed process left is found; nobody else can be using it.
    const std::string temporary = "." + name_ + ".gatectl";
    unlinkat(directory_.get(), temporary.c_str(), 0);
    auto written = write_temporary(temporary, text, mode);
    if (written &&
        renameat(directory_.get(), temporary.c_str(), directory_.get(), name_.c_str()) != 0) {
        written = fail(system_error(path_));
    }
    if (!written) {
        unlinkat(directory_.get(), temporary.c_str(), 0);
        return written;
    }
    if (fsync(directory_.get()) != 0) return fail(system_error(path_));
    return Done{};
}

}  // namespace gate::ctl
