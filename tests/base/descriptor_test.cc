#include "base/descriptor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>

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

// A pipe that holds `text` and ends there.
Descriptor reader_of(std::string_view text) {
    int ends[2];
    if (pipe(ends) != 0) return Descriptor();
    const Descriptor to(ends[1]);
    EXPECT_TRUE(write_all(to.get(), text));
    return Descriptor(ends[0]);
}

TEST(ReadAll, ReadsUpToItsLimit) {
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{5000}}) {
        const std::string text(size, 'x');
        EXPECT_EQ(read_all(reader_of(text).get(), 5000), text);
        EXPECT_EQ(read_all(reader_of(text).get(), size), text);
    }
}

TEST(ReadAll, TellsALongerFileFromAnError) {
    errno = EBADF;
    EXPECT_FALSE(read_all(reader_of("12345").get(), 4));
    EXPECT_EQ(errno, 0);
    EXPECT_FALSE(read_all(-1, 4));
    EXPECT_EQ(errno, EBADF);
}

TEST(WriteAll, SaysWhyNot) {
    EXPECT_FALSE(write_all(-1, "x"));
    EXPECT_EQ(errno, EBADF);
    EXPECT_TRUE(write_all(-1, "")) << "nothing to write";
}

}  // namespace
}  // namespace gate
