#include "nginx/redis_names.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "nginx/bridge.h"
#include "nginx/news.h"
#include "redis/name_age.h"

namespace gate::nginx {

namespace {

RedisNames* names = nullptr;

std::string text_of(Address& address) {
    std::array<u_char, NGX_SOCKADDR_STRLEN> text;
    const std::size_t size = ngx_sock_ntop(reinterpret_cast<sockaddr*>(&address.storage),
                                           address.size, text.data(), text.size(), 1);
    return {reinterpret_cast<const char*>(text.data()), size};
}

// The resolver says them in another order each time.
std::vector<Address> sorted_addresses(const ngx_resolver_ctx_t& answer) {
    std::vector<Address> found;
    for (ngx_uint_t i = 0; i < answer.naddrs; ++i) {
        Address address;
        std::memcpy(&address.storage, answer.addrs[i].sockaddr, answer.addrs[i].socklen);
        address.size = answer.addrs[i].socklen;
        address.text = text_of(address);
        found.push_back(std::move(address));
    }
    std::ranges::sort(found, {}, &Address::text);
    return found;
}

}  // namespace

struct RedisNames::Name {
    explicit Name(RedisNames& owner, std::string called) : book(owner), host(std::move(called)) {}
    ~Name() {
        if (question != nullptr) ngx_resolve_name_done(question);
    }

    void take(const ngx_resolver_ctx_t& answer);
    void report(ngx_int_t state);

    RedisNames& book;
    std::string host;
    std::string asked_for;  // nginx writes into it
    std::vector<Address> addresses;
    redis::NameAge age;
    ngx_resolver_ctx_t* question = nullptr;  // while it is out
    std::vector<Asker*> askers;              // who waits for the answer
    bool answered = false;                   // and has not been told
    News news;
};

RedisNames::RedisNames(ngx_resolver_t& resolver)
    : resolver_(resolver), teller_(call_member<RedisNames, &RedisNames::tell>, this) {}

RedisNames::~RedisNames() = default;

RedisNames::Name& RedisNames::name_of(const std::string& host) {
    auto& name = names_[host];
    if (name == nullptr) name = std::make_unique<Name>(*this, host);
    return *name;
}

const std::vector<Address>& RedisNames::addresses(const std::string& host) {
    return name_of(host).addresses;
}

bool RedisNames::look_up(Asker& asker, const std::string& host, ngx_msec_t patience) {
    Name& name = name_of(host);
    const bool waiting = name.question != nullptr || name.answered;
    if (!waiting && (!name.age.due(ngx_current_msec) || !ask(name, patience))) return true;
    name.askers.push_back(&asker);
    return false;
}

// False: there is nothing to wait for.
bool RedisNames::ask(Name& name, ngx_msec_t patience) {
    name.age.asked(ngx_current_msec);
    name.asked_for = name.host;
    ngx_resolver_ctx_t* const question = ngx_resolve_start(&resolver_, nullptr);
    if (question == nullptr || question == NGX_NO_RESOLVER) return false;
    name.question = question;
    question->name = str(name.asked_for);
    question->handler = on_answer;
    question->data = &name;
    question->timeout = patience;
    question->cancelable = 1;
    if (ngx_resolve_name(question) != NGX_OK) {
        name.question = nullptr;  // nginx has freed it
        name.report(NGX_ERROR);
        return false;
    }
    return true;
}

// Called by nginx's resolver, or from within ask() where it knows the answer.
void RedisNames::on_answer(ngx_resolver_ctx_t* question) noexcept {
    auto* const name = static_cast<Name*>(question->data);
    guard(ngx_cycle->log, 0, [&] {
        name->take(*question);
        return 0;
    });
    name->question = nullptr;
    name->answered = true;
    ngx_resolve_name_done(question);
    name->book.teller_.post();
}

void RedisNames::Name::take(const ngx_resolver_ctx_t& answer) {
    if (answer.state != NGX_OK || answer.naddrs == 0) return report(answer.state);
    addresses = sorted_addresses(answer);
    const time_t left = std::max<time_t>(0, answer.valid - ngx_time());
    age.answered(ngx_current_msec, static_cast<std::uint64_t>(left) * 1000);
    news.forget();
}

void RedisNames::Name::report(ngx_int_t state) {
    const char* const why =
        state == NGX_ERROR ? "it cannot be asked" : ngx_resolver_strerror(state);
    if (!news.is_news(why)) return;
    ngx_str_t called = str(host);
    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "gate_redis: the resolver has no address of \"%V\": %s; the last one known is "
                  "used",
                  &called, why);
}

// Those that are called may ask again, and forget others.
void RedisNames::tell() {
    for (const auto& [host, name] : names_) {
        if (!std::exchange(name->answered, false)) continue;
        while (!name->askers.empty() && name->question == nullptr) {
            Asker* const asker = name->askers.back();
            name->askers.pop_back();
            asker->looked_up();
        }
    }
}

void RedisNames::forget(const Asker& asker) noexcept {
    for (const auto& [host, name] : names_) std::erase(name->askers, &asker);
}

std::vector<Address> with_port(const std::vector<Address>& addresses, std::uint16_t port) {
    std::vector<Address> all = addresses;
    for (Address& address : all) {
        ngx_inet_set_port(reinterpret_cast<sockaddr*>(&address.storage), port);
        address.text = text_of(address);
    }
    return all;
}

RedisNames* redis_names() noexcept {
    return names;
}

void start_names(const RedisConf& conf) {
    if (names == nullptr && conf.resolver != nullptr) names = new RedisNames(*conf.resolver);
}

void stop_names() noexcept {
    delete names;
    names = nullptr;
}

}  // namespace gate::nginx
