// The addresses of servers that are called by a name, as nginx's resolver says while a worker runs.
// The system's own look-up would block: it is for the start alone.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "nginx/alarm.h"
#include "nginx/ngx.h"
#include "nginx/redis_conf.h"

namespace gate::nginx {

class RedisNames {
public:
    class Asker {
    public:
        // What addresses() says is as new as it can be had.
        virtual void looked_up() = 0;

    protected:
        ~Asker() = default;
    };

    explicit RedisNames(ngx_resolver_t& resolver);
    RedisNames(const RedisNames&) = delete;
    RedisNames& operator=(const RedisNames&) = delete;
    ~RedisNames();

    // True: what addresses() says is as new as it can be had. Otherwise `asker` hears looked_up()
    // later, after `patience` milliseconds at most; never from here.
    bool look_up(Asker& asker, const std::string& host, ngx_msec_t patience);
    void forget(const Asker& asker) noexcept;
    // The last that were known, without a port, in one order until they change. None: they never
    // were.
    const std::vector<Address>& addresses(const std::string& host);

private:
    struct Name;

    static void on_answer(ngx_resolver_ctx_t* question) noexcept;
    Name& name_of(const std::string& host);
    bool ask(Name& name, ngx_msec_t patience);
    void tell();

    ngx_resolver_t& resolver_;
    std::map<std::string, std::unique_ptr<Name>> names_;
    Errand teller_;
};

// The addresses of a server that has a name, for its port.
std::vector<Address> with_port(const std::vector<Address>& addresses, std::uint16_t port);

// Between start_redis() and stop_redis(); nullptr where there is no resolver.
RedisNames* redis_names() noexcept;
void start_names(const RedisConf& conf);
void stop_names() noexcept;

}  // namespace gate::nginx
