// http_load PORT CONNECTIONS REQUEST [POOL EVERY START]: keeps so many connections to 127.0.0.1
// open and sends the octets of the file REQUEST on each as soon as the answer before has come. With
// a POOL, a file of tokens, one of EVERY requests carries the next token, from line START on, in
// place of what follows "Bearer ". For each number read from standard input it makes that many
// requests and prints "seconds p50 p99 p999 max good": times of an answer in microseconds, and how
// many were 200.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

void must(bool good, const char* what) {
    if (good) return;
    std::fprintf(stderr, "http_load: cannot %s\n", what);
    std::exit(2);
}

int number(const char* text) {
    return static_cast<int>(std::strtol(text, nullptr, 10));
}

// What is sent: one request, or now and then one with the next token of a pool.
class Requests {
public:
    explicit Requests(const char* path) {
        std::ifstream file(path, std::ios::binary);
        must(file.good(), "read the request");
        request_.assign(std::istreambuf_iterator<char>(file), {});
    }

    void add_pool(const char* path, int every, int start) {
        constexpr std::string_view kScheme = "Bearer ";
        const std::size_t at = request_.find(kScheme);
        must(at != std::string::npos, "find the token of the request");
        head_ = request_.substr(0, at + kScheme.size());
        tail_ = request_.substr(request_.find('\r', at));
        std::ifstream file(path);
        must(file.good(), "read the pool");
        for (std::string line; std::getline(file, line);) pool_.push_back(std::move(line));
        every_ = static_cast<std::size_t>(every);
        next_ = static_cast<std::size_t>(start);
    }

    std::string_view next() {
        if (pool_.empty() || ++count_ % every_ != 0) return request_;
        must(next_ < pool_.size(), "go on: the pool is used up");
        return fresh_ = head_ + pool_[next_++] + tail_;
    }

private:
    std::string request_, head_, tail_, fresh_;
    std::vector<std::string> pool_;
    std::size_t every_ = 0, next_ = 0, count_ = 0;
};

struct Connection {
    int fd = -1;
    std::string input;
    Clock::time_point sent;
};

// Takes a whole answer (with Content-Length, in any case of letters) off the front; its status,
// 0 while it is incomplete.
int take_answer(std::string& input) {
    const std::size_t end = input.find("\r\n\r\n");
    if (end == std::string::npos) return 0;
    must(input.starts_with("HTTP/1.1 "), "read the answer");
    std::size_t length = 0;
    for (std::size_t at = input.find("\r\n"); at < end; at = input.find("\r\n", at + 2)) {
        constexpr std::string_view kName = "content-length: ";
        const char* value = input.data() + at + 2 + kName.size();
        const bool same = std::equal(kName.begin(), kName.end(), input.data() + at + 2,
                                     [](char a, char b) { return a == b || a == (b | 0x20); });
        if (same) std::from_chars(value, input.data() + end, length);
    }
    if (input.size() < end + 4 + length) return 0;
    const int status = number(input.c_str() + 9);
    input.erase(0, end + 4 + length);
    return status;
}

class Load {
public:
    Load(int port, int connections, Requests requests)
        : requests_(std::move(requests)), connections_(static_cast<std::size_t>(connections)) {
        must(epoll_ >= 0, "poll");
        for (Connection& connection : connections_) connect_to(port, connection);
    }

    void run(std::size_t count) {
        left_ = count;
        good_ = 0;
        micros_.clear();
        const Clock::time_point start = Clock::now();
        for (Connection& connection : connections_) send_next(connection);
        std::array<epoll_event, 64> events{};
        while (micros_.size() < count) {
            const int ready = epoll_wait(epoll_, events.data(), events.size(), 10000);
            must(ready > 0, "get an answer within 10 s");
            for (int i = 0; i < ready; ++i) {
                receive(*static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr));
            }
        }
        report(std::chrono::duration<double>(Clock::now() - start).count());
    }

private:
    void connect_to(int port, Connection& connection) {
        connection.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        must(connect(connection.fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
                 0,
             "connect");
        const int on = 1;
        setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = &connection;
        must(epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event) == 0, "poll");
    }

    void send_next(Connection& connection) {
        if (left_ == 0) return;
        --left_;
        const std::string_view text = requests_.next();
        connection.sent = Clock::now();
        must(write(connection.fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()),
             "send");
    }

    void receive(Connection& connection) {
        std::array<char, 16384> buffer;
        const ssize_t size = read(connection.fd, buffer.data(), buffer.size());
        must(size > 0, "keep a connection");
        connection.input.append(buffer.data(), static_cast<std::size_t>(size));
        const int status = take_answer(connection.input);
        if (status == 0) return;
        good_ += status == 200 ? 1 : 0;
        micros_.push_back(
            std::chrono::duration<float, std::micro>(Clock::now() - connection.sent).count());
        send_next(connection);
    }

    void report(double seconds) {
        std::sort(micros_.begin(), micros_.end());
        const auto rank = [this](double part) {
            const double last = static_cast<double>(micros_.size() - 1);
            return static_cast<double>(micros_[static_cast<std::size_t>(last * part)]);
        };
        std::printf("%.6f %.1f %.1f %.1f %.1f %zu\n", seconds, rank(0.5), rank(0.99), rank(0.999),
                    rank(1), good_);
        std::fflush(stdout);
    }

    int epoll_ = epoll_create1(EPOLL_CLOEXEC);
    Requests requests_;
    std::vector<Connection> connections_;
    std::size_t left_ = 0, good_ = 0;
    std::vector<float> micros_;
};

}  // namespace

int main(int argc, char** argv) {
    must(argc == 4 || argc == 7, "understand the arguments");
    Requests requests(argv[3]);
    if (argc == 7) requests.add_pool(argv[4], number(argv[5]), number(argv[6]));
    Load load(number(argv[1]), number(argv[2]), std::move(requests));
    std::array<char, 32> line;
    while (std::fgets(line.data(), line.size(), stdin) != nullptr) {
        const int count = number(line.data());
        must(count > 0, "make no request");
        load.run(static_cast<std::size_t>(count));
    }
    return 0;
}
