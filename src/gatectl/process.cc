#include "gatectl/process.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "gatectl/files.h"

namespace gate::ctl {

namespace {

constexpr std::size_t kMaxOutput = std::size_t{1} << 20;
constexpr int kCannotRun = 127;

// In the child: never returns.
[[noreturn]] void become(std::vector<char*>& words, int output,
                         const std::pair<std::string, std::string>& variable) {
    const int input = open("/dev/null", O_RDONLY);
    if (input >= 0 && dup2(input, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 &&
        dup2(output, STDERR_FILENO) >= 0 &&
        setenv(variable.first.c_str(), variable.second.c_str(), 1) == 0) {
        execvp(words[0], words.data());
    }
    const std::string problem = system_error(words[0]) + "\n";
    // Nobody is left to tell of a failure to write.
    (void)!write(STDERR_FILENO, problem.data(), problem.size());
    _exit(kCannotRun);
}

int wait_for(pid_t child) {
    int status = 0;
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) return kCannotRun;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Result<ProgramResult, std::string> run_program(
    const std::vector<std::string>& words, const std::pair<std::string, std::string>& variable) {
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return fail(system_error("pipe"));
    const Descriptor reader(ends[0]);
    Descriptor writer(ends[1]);
    const pid_t child = fork();
    if (child < 0) return fail(system_error("fork"));
    if (child == 0) become(arguments, writer.get(), variable);
    writer = Descriptor();
    auto output = read_text(reader.get(), kMaxOutput);
    const int status = wait_for(child);
    if (!output) return fail(words[0] + ": its output " + output.error());
    return ProgramResult{status, *std::move(output)};
}

}  // namespace gate::ctl
