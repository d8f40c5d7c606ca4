#include "gatectl/redis_wire.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <system_error>
#include <vector>

namespace gate::ctl {

namespace {

using redis::Endpoint;

constexpr std::size_t kBuffer = std::size_t{64} << 10;
constexpr std::string_view kLate = "no answer in time";

std::string error_text(int error) {
    return std::generic_category().message(error);
}

struct Address {
    sockaddr_storage storage{};
    socklen_t size = 0;
    int family = AF_UNSPEC;
};

Address socket_address(const Endpoint& endpoint) {
    Address address;
    sockaddr_un unix{};
    unix.sun_family = AF_UNIX;
    endpoint.socket_path.copy(unix.sun_path, sizeof unix.sun_path - 1);
    std::memcpy(&address.storage, &unix, sizeof unix);
    address.size = sizeof unix;
    address.family = AF_UNIX;
    return address;
}

Result<std::vector<Address>, std::string> look_up(const Endpoint& endpoint) {
    if (!endpoint.socket_path.empty()) return std::vector<Address>{socket_address(endpoint)};
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV;
    addrinfo* list = nullptr;
    const int error =
        getaddrinfo(endpoint.host.c_str(), std::to_string(endpoint.port).c_str(), &hints, &list);
    if (error != 0) return fail(std::string(gai_strerror(error)));
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, &freeaddrinfo);
    std::vector<Address> found;
    for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
        Address& address = found.emplace_back();
        std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
        address.size = entry->ai_addrlen;
        address.family = entry->ai_family;
    }
    return found;
}

Status<std::string> wait_for(int fd, short events, const Deadline& deadline) {
    for (;;) {
        pollfd item{fd, events, 0};
        const int ready = poll(&item, 1, deadline.left());
        if (ready > 0) return Done{};
        if (ready == 0) return fail(std::string(kLate));
        if (errno != EINTR) return fail(error_text(errno));
    }
}

Result<Descriptor, std::string> connect_to(const Address& address, const Deadline& deadline) {
    Descriptor fd(socket(address.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) return fail(error_text(errno));
    const auto* const where = reinterpret_cast<const sockaddr*>(&address.storage);
    if (connect(fd.get(), where, address.size) != 0) {
        // A unix socket that has no room for another connection says EAGAIN.
        if (errno != EINPROGRESS) return fail(error_text(errno));
        if (const auto ready = wait_for(fd.get(), POLLOUT, deadline); !ready) {
            return fail(ready.error());
        }
        int error = 0;
        socklen_t size = sizeof error;
        if (getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
        if (error != 0) return fail(error_text(error));
    }
    const int on = 1;
    if (address.family != AF_UNIX) {
        setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    return fd;
}

// The oldest error of OpenSSL's queue, which is the cause of the others.
std::string tls_error() {
    const unsigned long error = ERR_get_error();
    const char* const reason = error != 0 ? ERR_reason_error_string(error) : nullptr;
    ERR_clear_error();
    return reason != nullptr ? reason : "unknown error";
}

// A key behind a passphrase is refused: nobody may be there to type it.
int no_passphrase(char* /*text*/, int /*size*/, int /*writing*/, void* /*data*/) {
    return -1;
}

}  // namespace

int Deadline::left() const noexcept {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, INT_MAX));
}

Deadline Deadline::share(std::size_t of) const noexcept {
    return Deadline(left() / static_cast<int>(std::max<std::size_t>(of, 1)));
}

// ---- TLS

Result<std::unique_ptr<TlsClient>, std::string> TlsClient::make(const RedisTls& tls) {
    if (!tls.on) return std::unique_ptr<TlsClient>();
    const crypto::ErrorQueueGuard guard;
    ContextPtr context(SSL_CTX_new(TLS_client_method()));
    if (!context) return fail(tls_error());
    SSL_CTX* const raw = context.get();
    SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
    SSL_CTX_set_mode(raw, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(raw, tls.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_default_passwd_cb(raw, no_passphrase);
    const bool trusts = tls.ca.empty() ? SSL_CTX_set_default_verify_paths(raw) == 1
                                       : SSL_CTX_load_verify_file(raw, tls.ca.c_str()) == 1;
    if (!trusts) return fail("--tls-ca: " + tls.ca + ": " + tls_error());
    if (!tls.certificate.empty()) {
        if (SSL_CTX_use_certificate_chain_file(raw, tls.certificate.c_str()) != 1) {
            return fail("--tls-cert: " + tls.certificate + ": " + tls_error());
        }
        if (SSL_CTX_use_PrivateKey_file(raw, tls.key.c_str(), SSL_FILETYPE_PEM) != 1) {
            return fail("--tls-key: " + tls.key + ": " + tls_error());
        }
    }
    return std::unique_ptr<TlsClient>(new TlsClient(tls, std::move(context)));
}

Result<TlsClient::SslPtr, std::string> TlsClient::start(int fd, const Endpoint& endpoint) const {
    const crypto::ErrorQueueGuard guard;
    SslPtr ssl(SSL_new(context_.get()));
    if (!ssl || SSL_set_fd(ssl.get(), fd) != 1) return fail(tls_error());
    const std::string& name = tls_.name.empty() ? endpoint.host : tls_.name;
    if (name.empty()) {
        if (tls_.verify) return fail(std::string("TLS over a unix socket needs --tls-name"));
        return ssl;
    }
    X509_VERIFY_PARAM* const checks = SSL_get0_param(ssl.get());
    // An address is no name to ask for, and stands elsewhere in a certificate.
    if (X509_VERIFY_PARAM_set1_ip_asc(checks, name.c_str()) == 1) return ssl;
    X509_VERIFY_PARAM_set_hostflags(checks, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    // SSL_set_tlsext_host_name() without its cast.
    char* const asked = const_cast<char*>(name.c_str());
    if (SSL_set1_host(ssl.get(), asked) != 1 ||
        SSL_ctrl(ssl.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, asked) != 1) {
        return fail(tls_error());
    }
    return ssl;
}

// ---- the connection

Result<RedisWire, std::string> RedisWire::connect(const Endpoint& endpoint, const TlsClient* tls,
                                                  const Deadline& deadline) {
    const auto addresses = look_up(endpoint);
    if (!addresses) return fail(addresses.error());
    std::string problem = "its name has no address";
    for (std::size_t i = 0; i < addresses->size(); ++i) {
        auto fd = connect_to((*addresses)[i], deadline.share(addresses->size() - i));
        if (!fd) {
            problem = fd.error();
            continue;
        }
        RedisWire wire(*std::move(fd));
        if (tls != nullptr) {
            auto ssl = tls->start(wire.fd_.get(), endpoint);
            if (!ssl) return fail(ssl.error());
            wire.ssl_ = *std::move(ssl);
            if (const auto done = wire.shake_hands(deadline); !done) return fail(done.error());
        }
        return wire;
    }
    return fail(std::move(problem));
}

Status<std::string> RedisWire::wait(short events, const Deadline& deadline) const {
    return wait_for(fd_.get(), events, deadline);
}

// What a call of OpenSSL's waits for, or why it has failed.
Status<std::string> RedisWire::wait_after(int returned, const Deadline& deadline) const {
    const int error = errno;
    switch (SSL_get_error(ssl_.get(), returned)) {
        case SSL_ERROR_WANT_READ:
            return wait(POLLIN, deadline);
        case SSL_ERROR_WANT_WRITE:
            return wait(POLLOUT, deadline);
        case SSL_ERROR_ZERO_RETURN:
            return fail(std::string("the server closed the connection"));
        case SSL_ERROR_SYSCALL:
            return fail(error != 0 ? error_text(error) : "the server closed the connection");
        default:
            return fail("TLS: " + tls_error());
    }
}

Status<std::string> RedisWire::shake_hands(const Deadline& deadline) {
    for (;;) {
        ERR_clear_error();
        errno = 0;
        const int done = SSL_connect(ssl_.get());
        if (done == 1) return Done{};
        const auto waited = wait_after(done, deadline);
        if (waited) continue;
        const long verified = SSL_get_verify_result(ssl_.get());
        const bool judged = SSL_get_verify_mode(ssl_.get()) != SSL_VERIFY_NONE;
        if (verified == X509_V_OK || !judged) return waited;
        return fail("the server's certificate is not to be trusted: " +
                    std::string(X509_verify_cert_error_string(verified)));
    }
}

Result<std::size_t, std::string> RedisWire::write(std::string_view octets,
                                                  const Deadline& deadline) {
    for (;;) {
        if (ssl_) {
            ERR_clear_error();
            errno = 0;
            std::size_t sent = 0;
            const int done = SSL_write_ex(ssl_.get(), octets.data(), octets.size(), &sent);
            if (done == 1) return sent;
            if (const auto waited = wait_after(done, deadline); !waited) {
                return fail(waited.error());
            }
            continue;
        }
        const ssize_t sent = send(fd_.get(), octets.data(), octets.size(), MSG_NOSIGNAL);
        if (sent >= 0) return static_cast<std::size_t>(sent);
        if (errno == EINTR) continue;
        if (errno != EAGAIN) return fail(error_text(errno));
        if (const auto waited = wait(POLLOUT, deadline); !waited) return fail(waited.error());
    }
}

Result<std::string_view, std::string> RedisWire::read(const Deadline& deadline) {
    buffer_.resize(kBuffer);
    for (;;) {
        if (deadline.left() == 0) return fail(std::string(kLate));
        if (ssl_) {
            ERR_clear_error();
            errno = 0;
            std::size_t got = 0;
            const int done = SSL_read_ex(ssl_.get(), buffer_.data(), buffer_.size(), &got);
            if (done == 1) return std::string_view(buffer_.data(), got);
            if (const auto waited = wait_after(done, deadline); !waited) {
                return fail(waited.error());
            }
            continue;
        }
        const ssize_t got = recv(fd_.get(), buffer_.data(), buffer_.size(), 0);
        if (got > 0) return std::string_view(buffer_.data(), static_cast<std::size_t>(got));
        if (got == 0) return fail(std::string("the server closed the connection"));
        if (errno == EINTR) continue;
        if (errno != EAGAIN) return fail(error_text(errno));
        if (const auto waited = wait(POLLIN, deadline); !waited) return fail(waited.error());
    }
}

}  // namespace gate::ctl
