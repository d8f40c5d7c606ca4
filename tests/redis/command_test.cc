#include "redis/command.h"

#include <gtest/gtest.h>

#include <vector>

namespace gate::redis {
namespace {

using namespace std::literals;

std::string command(std::initializer_list<std::string_view> arguments) {
    std::string out;
    append_command(out, arguments);
    return out;
}

TEST(AppendCommand, WritesAnArrayOfStrings) {
    EXPECT_EQ(command({"GET", "gate:epoch"}), "*2\r\n$3\r\nGET\r\n$10\r\ngate:epoch\r\n");
    EXPECT_EQ(command({"PING"}), "*1\r\n$4\r\nPING\r\n");
}

TEST(AppendCommand, CarriesEveryOctet) {
    EXPECT_EQ(command({"SET", "a\r\n$1\r\nb"sv, "\0\xff"sv}),
              "*3\r\n$3\r\nSET\r\n$8\r\na\r\n$1\r\nb\r\n$2\r\n\0\xff\r\n"sv);
}

TEST(AppendCommand, WritesEmptyArguments) {
    EXPECT_EQ(command({"AUTH", ""}), "*2\r\n$4\r\nAUTH\r\n$0\r\n\r\n");
    EXPECT_EQ(command({"AUTH", std::string_view()}), "*2\r\n$4\r\nAUTH\r\n$0\r\n\r\n");
}

TEST(AppendCommand, AppendsToWhatIsThere) {
    std::string out = "x";
    append_command(out, {"A"});
    const std::vector<std::string_view> arguments{"B", "C"};
    append_command(out, arguments);
    EXPECT_EQ(out, "x*1\r\n$1\r\nA\r\n*2\r\n$1\r\nB\r\n$1\r\nC\r\n");
}

TEST(AppendCommand, CountsManyAndLongArguments) {
    const std::string longest(100000, 'x');
    const std::vector<std::string_view> arguments(1000, longest);
    std::string out;
    append_command(out, arguments);
    EXPECT_TRUE(out.starts_with("*1000\r\n$100000\r\nxxx"));
    EXPECT_EQ(out.size(), 7u + 1000u * (9u + 100000u + 2u));
}

TEST(AppendCommand, RefusesWhatHiredisCannotCount) {
    // Lengths alone decide, so that nobody has to own such a text.
    const char octet = 0;
    const std::string_view huge(&octet, (std::size_t{1} << 30) + 1);
    const std::string_view half(&octet, (std::size_t{1} << 29) + 1);
    std::string out = "x";
    EXPECT_THROW(append_command(out, {huge}), std::bad_alloc);
    EXPECT_THROW(append_command(out, {half, half}), std::bad_alloc);
    EXPECT_EQ(out, "x");
}

}  // namespace
}  // namespace gate::redis
