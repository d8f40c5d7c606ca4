// A blocking connection to a server: TCP or a unix socket, with or without TLS, and a deadline on
// everything.
#pragma once

#include <openssl/ssl.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/descriptor.h"
#include "base/result.h"
#include "crypto/openssl_ptr.h"
#include "gatectl/redis_options.h"
#include "redis/endpoint.h"

namespace gate::ctl {

// An instant of the steady clock.
class Deadline {
public:
    explicit Deadline(int milliseconds) noexcept
        : end_(Clock::now() + std::chrono::milliseconds(milliseconds)) {}
    // Milliseconds until then; 0 when it has passed.
    int left() const noexcept;
    // One share of what is left, where so many may need one.
    Deadline share(std::size_t of) const noexcept;

private:
    using Clock = std::chrono::steady_clock;
    Clock::time_point end_;
};

// Certificates of ours, and whom we trust.
class TlsClient {
public:
    // Errors name the file. nullptr without TLS.
    static Result<std::unique_ptr<TlsClient>, std::string> make(const RedisTls& tls);

    using SslPtr = crypto::OpensslPtr<SSL, SSL_free>;
    // For a connection to that server. Errors are sentences.
    Result<SslPtr, std::string> start(int fd, const redis::Endpoint& endpoint) const;

private:
    using ContextPtr = crypto::OpensslPtr<SSL_CTX, SSL_CTX_free>;
    TlsClient(RedisTls tls, ContextPtr context)
        : tls_(std::move(tls)), context_(std::move(context)) {}

    RedisTls tls_;
    ContextPtr context_;
};

// Errors are sentences without the server's name. After one nothing can be sent or read any more.
class RedisWire {
public:
    // `tls` may be nullptr. Looks names up, which may take longer than the deadline says.
    static Result<RedisWire, std::string> connect(const redis::Endpoint& endpoint,
                                                  const TlsClient* tls, const Deadline& deadline);

    // Waits until some of it is sent; how much.
    Result<std::size_t, std::string> write(std::string_view octets, const Deadline& deadline);
    // Waits until some octets have come; a view that lasts until the next call.
    Result<std::string_view, std::string> read(const Deadline& deadline);

private:
    explicit RedisWire(Descriptor fd) : fd_(std::move(fd)) {}
    Status<std::string> shake_hands(const Deadline& deadline);
    Status<std::string> wait(short events, const Deadline& deadline) const;
    Status<std::string> wait_after(int returned, const Deadline& deadline) const;

    Descriptor fd_;
    TlsClient::SslPtr ssl_;
    std::string buffer_;
};

}  // namespace gate::ctl
