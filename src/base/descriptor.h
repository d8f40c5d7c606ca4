// An open file that closes itself, and writing all of a text to one.
#pragma once

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

// Goes on after interruptions and short writes; false with errno set.
bool write_all(int fd, std::string_view text) noexcept;

}  // namespace gate
