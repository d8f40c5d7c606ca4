#include "nginx/waiting.h"

#include <unordered_map>

#include "nginx/alarm.h"
#include "nginx/bridge.h"

namespace gate::nginx {

// Those that have been woken, until the end of the turn.
class Woken {
public:
    void add(Waiter& waiter) noexcept {
        waiter.woken_ = true;
        waiter.next_ = nullptr;
        *end_ = &waiter;
        end_ = &waiter.next_;
        errand_.post();
    }

    void remove(Waiter& waiter) noexcept {
        Waiter** at = &first_;
        while (*at != nullptr && *at != &waiter) at = &(*at)->next_;
        if (*at == nullptr) return;
        *at = waiter.next_;
        if (end_ == &waiter.next_) end_ = at;
        waiter.woken_ = false;
    }

private:
    // A request that goes on may end others that are still in the list.
    void go_on() {
        while (first_ != nullptr) {
            Waiter& waiter = *first_;
            ngx_http_request_t* const r = waiter.request_;
            waiter.leave();
            ngx_connection_t* const connection = r->connection;
            ngx_http_set_log_request(connection->log, r);
            r->read_event_handler = ngx_http_block_reading;
            ngx_http_core_run_phases(r);
            ngx_http_run_posted_requests(connection);
        }
    }

    Waiter* first_ = nullptr;
    Waiter** end_ = &first_;
    Errand errand_{call_member<Woken, &Woken::go_on>, this};
};

namespace {

// Of one HTTP/2 or HTTP/3 connection: it shall not take the places of all others.
constexpr unsigned kMaxOfConnection = 16;

// Never destroyed: nginx's queue of posted events is gone before static objects go.
Woken& woken() {
    static Woken& list = *new Woken;
    return list;
}

std::unordered_map<const void*, unsigned>& crowds() {
    static std::unordered_map<const void*, unsigned> counts;
    return counts;
}

// nullptr where requests come one at a time.
const void* shared_connection(const ngx_http_request_t* r) noexcept {
#if (NGX_HTTP_V2)
    if (r->stream != nullptr) return r->stream->connection;
#endif
    return nullptr;
}

}  // namespace

bool Waiter::wait(ngx_http_request_t* r, Abandon abandon, void* object) noexcept {
    return guard(r, false, [&] {
        const void* const connection = shared_connection(r);
        if (connection != nullptr && crowds()[connection] >= kMaxOfConnection) return false;
        ngx_http_cleanup_t* const cleanup = ngx_http_cleanup_add(r, 0);
        if (cleanup == nullptr) throw std::bad_alloc();
        cleanup->handler = on_request_end;
        cleanup->data = this;
        if (connection != nullptr) ++crowds()[connection];
        connection_ = connection;
        cleanup_ = cleanup;
        request_ = r;
        abandon_ = abandon;
        object_ = object;
        // Tells when the client leaves; a half-closed connection counts as one that has left.
        r->read_event_handler = ngx_http_test_reading;
        ngx_event_t* const read = r->connection->read;
        if (read->pending_eof) {  // left already: no other event will tell
            ngx_post_event(read, &ngx_posted_events);
        }
        return true;
    });
}

void Waiter::wake() noexcept {
    if (request_ == nullptr || woken_) return;
    woken().add(*this);
}

void Waiter::leave() noexcept {
    if (request_ == nullptr) return;
    if (woken_) woken().remove(*this);
    cleanup_->handler = nullptr;  // nginx skips it
    cleanup_ = nullptr;
    request_ = nullptr;
    if (connection_ == nullptr) return;
    const auto crowd = crowds().find(connection_);
    if (crowd != crowds().end() && --crowd->second == 0) crowds().erase(crowd);
    connection_ = nullptr;
}

void Waiter::on_request_end(void* data) noexcept {
    auto* waiter = static_cast<Waiter*>(data);
    waiter->leave();
    waiter->abandon_(waiter->object_);
}

}  // namespace gate::nginx
