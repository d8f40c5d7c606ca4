#include "base/descriptor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace gate {
namespace {

bool is_open(int fd) {
    return fcntl(fd, F_GETFD) >= 0;
}

TEST(Descriptor, ClosesWhatItHolds) {
    int number = -1;
    {
        const Descriptor file(open("/dev/null", O_RDONLY));
        number = file.get();
        ASSERT_TRUE(file);
        EXPECT_TRUE(is_open(number));
    }
    EXPECT_FALSE(is_open(number));
    EXPECT_FALSE(Descriptor());
}

TEST(Descriptor, MovesWhatItHolds) {
    Descriptor first(open("/dev/null", O_RDONLY));
    const int number = first.get();
    Descriptor second(std::move(first));
    EXPECT_EQ(second.get(), number);
    EXPECT_TRUE(is_open(number));
    second = Descriptor();
    EXPECT_FALSE(is_open(number)) << "the one before is closed at once";
}

TEST(WriteAll, WritesMoreThanAPipeTakesAtOnce) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const Descriptor from(ends[0]);
    Descriptor to(ends[1]);
    const std::string text(std::size_t{300} << 10, 'x');
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) _exit(write_all(to.get(), text) ? 0 : 1);
    to = Descriptor();
    std::size_t size = 0;
    char buffer[4096];
    for (ssize_t got; (got = read(from.get(), buffer, sizeof buffer)) > 0;) {
        size += static_cast<std::size_t>(got);
    }
    EXPECT_EQ(size, text.size());
}

TEST(WriteAll, SaysWhyNot) {
    EXPECT_FALSE(write_all(-1, "x"));
    EXPECT_EQ(errno, EBADF);
    EXPECT_TRUE(write_all(-1, "")) << "nothing to write";
}

}  // namespace
}  // namespace gate
