#include "base/descriptor.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace gate {

Descriptor::~Descriptor() {
    if (fd_ >= 0) close(fd_);
}

std::optional<std::string> read_all(int fd, std::size_t limit) {
    constexpr std::size_t kChunk = 65536;
    std::string text;
    // A secret fits: growing would leave copies of it behind.
    text.reserve(std::min(limit + 1, 2 * kChunk));
    for (;;) {
        const std::size_t size = text.size();
        text.resize(std::min(limit + 1, size + kChunk));
        const ssize_t got = read(fd, text.data() + size, text.size() - size);
        if (got < 0 && errno == EINTR) {
            text.resize(size);
            continue;
        }
        if (got < 0) return std::nullopt;
        text.resize(size + static_cast<std::size_t>(got));
        if (got == 0) return text;
        if (text.size() > limit) {
            errno = 0;
            return std::nullopt;
        }
    }
}

bool write_all(int fd, std::string_view text) noexcept {
    while (!text.empty()) {
        const ssize_t written = write(fd, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

}  // namespace gate
