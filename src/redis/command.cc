#include "redis/command.h"

#include <hiredis/hiredis.h>

#include <cstddef>
#include <memory>
#include <new>
#include <vector>

#include "base/bytes.h"

namespace gate::redis {

namespace {

// hiredis counts the octets of a command with an int; no argument of ours comes near.
constexpr std::size_t kMaxCommand = std::size_t{1} << 30;

struct FreeCommand {
    void operator()(char* command) const noexcept { redisFreeCommand(command); }
};

}  // namespace

void append_command(std::string& out, std::span<const std::string_view> arguments) {
    std::vector<const char*> texts;
    std::vector<std::size_t> sizes;
    texts.reserve(arguments.size());
    sizes.reserve(arguments.size());
    std::size_t octets = 0;
    for (const std::string_view argument : arguments) {
        if (argument.size() > kMaxCommand - octets) throw std::bad_alloc();
        octets += argument.size();
        // memcpy() may not be given a null pointer even for nothing.
        texts.push_back(argument.empty() ? "" : argument.data());
        sizes.push_back(argument.size());
    }
    char* text = nullptr;
    const int size = redisFormatCommandArgv(&text, static_cast<int>(arguments.size()), texts.data(),
                                            sizes.data());
    const std::unique_ptr<char, FreeCommand> command(text);
    if (size < 0) throw std::bad_alloc();
    out.append(text, static_cast<std::size_t>(size));
    // It may have been AUTH.
    wipe(text, static_cast<std::size_t>(size));
}

void append_command(std::string& out, std::initializer_list<std::string_view> arguments) {
    append_command(out, std::span(arguments.begin(), arguments.size()));
}

std::string command_text(std::initializer_list<std::string_view> arguments) {
    std::string text;
    append_command(text, arguments);
    return text;
}

}  // namespace gate::redis
