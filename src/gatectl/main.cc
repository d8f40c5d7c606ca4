// gatectl: see command.h for the commands.
#include <csignal>
#include <ctime>
#include <exception>
#include <iostream>

#include "gatectl/command.h"

int main(int argc, char** argv) {
    // A reader that closes early ends the tool with an error of the write, not silently.
    std::signal(SIGPIPE, SIG_IGN);
    std::ios::sync_with_stdio(false);
    try {
        const std::vector<std::string> words(argv + 1, argv + argc);
        gate::ctl::Io io{std::cin, std::cout, std::cerr, std::time(nullptr)};
        const int status = gate::ctl::run_tool(words, io);
        std::cout.flush();
        if (!std::cout) return gate::ctl::refuse(io, "cannot write to standard output");
        return status;
    } catch (const std::exception& e) {
        std::cerr << "gatectl: " << e.what() << '\n';
        return gate::ctl::kRefused;
    }
}
