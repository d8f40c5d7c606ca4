// Files as the tool needs them: read whole, or changed so that every reader sees the old or the new
// text and two writers never lose each other's change.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/descriptor.h"
#include "base/result.h"

namespace gate::ctl {

inline constexpr std::size_t kMaxKeyFile = std::size_t{64} << 20;
inline constexpr std::size_t kMaxDocument = std::size_t{4} << 20;  // key sets, nginx's dump
inline constexpr std::size_t kMaxSecret = std::size_t{64} << 10;   // secrets, peppers, PEM

// "PATH: No such file or directory", from errno.
std::string system_error(std::string_view path);

// The text of a regular file. Errors are sentences with the path.
Result<std::string, std::string> read_file(const std::string& path, std::size_t limit);

// Reads a descriptor to its end; errors are sentences without a name.
Result<std::string, std::string> read_text(int fd, std::size_t limit);

// One file held for a change. The lock is on the file's directory, because the file itself is
// replaced; it ends with this object, or with the process.
class FileChange {
public:
    static constexpr mode_t kPrivate = 0600;

    // Waits at most `patience_ms` for others. A symbolic link is followed first: its target is what
    // changes. Errors are sentences with the path.
    static Result<FileChange, std::string> begin(const std::string& path, int patience_ms = 10000);

    // The text now; nullopt where there is no such file.
    Result<std::optional<std::string>, std::string> read(std::size_t limit) const;

    // Puts `text` in the file's place: temporary file in the same directory, fsync, rename, fsync
    // of the directory. Owner and mode are kept; a new file has `mode`, less the umask. On an error
    // the old file is still there.
    Status<std::string> commit(std::string_view text, mode_t mode = kPrivate) const;

private:
    FileChange(Descriptor directory, std::string path, std::string name)
        : directory_(std::move(directory)), path_(std::move(path)), name_(std::move(name)) {}
    Status<std::string> write_temporary(const std::string& temporary, std::string_view text,
                                        mode_t mode) const;
    Status<std::string> copy_ownership(int fd) const;

    Descriptor directory_;
    std::string path_;  // for messages
    std::string name_;  // in the directory
};

}  // namespace gate::ctl
