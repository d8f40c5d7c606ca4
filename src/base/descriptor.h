// An open file that closes itself, and reading and writing all of one.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace gate {

class Descriptor {
public:
    explicit Descriptor(int fd = -1) noexcept : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Descriptor();

    int get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }

private:
    int fd_;
};

// All that is left to read, up to `limit` octets, going on after interruptions; nullopt with errno
// set, or with errno 0 when there is more.
std::optional<std::string> read_all(int fd, std::size_t limit);

// Goes on after interruptions and short writes; false with errno set.
bool write_all(int fd, std::string_view text) noexcept;

}  // namespace gate
