#include "gatectl/terminal.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

#include "gatectl/input.h"

namespace gate::ctl {

namespace {

constexpr std::array kSignals{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};

volatile std::sig_atomic_t caught = 0;

void note_signal(int signal) {
    caught = signal;
}

// While it lives the terminal does not show what is typed, and signals only end a read.
class Hidden {
public:
    explicit Hidden(int fd) : fd_(fd) {
        caught = 0;
        struct sigaction noting {};
        noting.sa_handler = note_signal;
        for (std::size_t i = 0; i < kSignals.size(); ++i) {
            sigaction(kSignals[i], &noting, &before_[i]);
        }
        on_ = tcgetattr(fd_, &shown_) == 0;
        termios hidden = shown_;
        hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        on_ = on_ && tcsetattr(fd_, TCSAFLUSH, &hidden) == 0;
    }
    Hidden(const Hidden&) = delete;
    Hidden& operator=(const Hidden&) = delete;
    ~Hidden() {
        if (on_) tcsetattr(fd_, TCSAFLUSH, &shown_);
        for (std::size_t i = 0; i < kSignals.size(); ++i) {
            sigaction(kSignals[i], &before_[i], nullptr);
        }
        if (caught != 0) std::raise(caught);
    }

    bool on() const noexcept { return on_; }

private:
    int fd_;
    termios shown_{};
    std::array<struct sigaction, kSignals.size()> before_{};
    bool on_ = false;
};

}  // namespace

Result<Terminal, std::string> Terminal::open() {
    Descriptor fd(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
    if (!fd) return fail(std::string("there is no terminal to ask for the password"));
    return Terminal(std::move(fd));
}

Result<Secret, std::string> Terminal::read_hidden(std::string_view prompt) const {
    const Hidden hidden(fd_.get());
    if (!hidden.on()) return fail(std::string("the terminal cannot hide what is typed"));
    static_cast<void>(write_all(fd_.get(), prompt));
    // The terminal gives one line at a time, of at most 4095 octets.
    std::array<char, 4096> line{};
    const ssize_t got = read(fd_.get(), line.data(), line.size());
    const int error = errno;
    static_cast<void>(write_all(fd_.get(), "\n"));
    if (got < 0) return fail(std::generic_category().message(error));
    Secret secret(bytes_of(first_line({line.data(), static_cast<std::size_t>(got)})));
    wipe(line.data(), line.size());
    return secret;
}

}  // namespace gate::ctl
