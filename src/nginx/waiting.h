// Requests that wait in the access phase for an answer from elsewhere. A request that waits answers
// NGX_AGAIN each time it is asked; whoever brings the answer wakes it, and the phases go on where
// they stood.
#pragma once

#include <cstddef>

#include "nginx/ngx.h"

namespace gate::nginx {

// One request's place. Its destructor, and the end of the request, which comes first when the
// client leaves, take it out: nobody wakes it then.
class Waiter {
public:
    // Called when the request ends while it waits: its place is empty, and nothing may be asked of
    // it. It may destroy the waiter.
    using Abandon = void (*)(void* object) noexcept;

    Waiter() noexcept = default;
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;
    ~Waiter() { leave(); }

    // Lets `r` wait. False: one client's connection has too many waiting, or memory is short.
    bool wait(ngx_http_request_t* r, Abandon abandon, void* object) noexcept;
    bool waiting() const noexcept { return request_ != nullptr; }
    // The answer is there: the phases of the request go on at the end of this turn of the event
    // loop, never before this returns.
    void wake() noexcept;
    void leave() noexcept;

private:
    friend class Woken;
    static void on_request_end(void* cleanup) noexcept;

    ngx_http_request_t* request_ = nullptr;
    ngx_http_cleanup_t* cleanup_ = nullptr;
    const void* connection_ = nullptr;  // that carries several requests at once
    Abandon abandon_ = nullptr;
    void* object_ = nullptr;
    Waiter* next_ = nullptr;  // among the woken
    bool woken_ = false;
};

}  // namespace gate::nginx
