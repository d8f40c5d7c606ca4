// A timer of a worker's own that comes back by itself. It goes on while the worker exits, since a
// request that began before may still be decided, and does not keep it from leaving.
#pragma once

#include <type_traits>

#include "nginx/bridge.h"
#include "nginx/ngx.h"

namespace gate::nginx {

class Ticker {
public:
    // Calls `tick` every `interval` milliseconds until stop(); what it throws is logged.
    void start(ngx_msec_t interval, void (*tick)()) noexcept {
        unconnected_.fd = static_cast<ngx_socket_t>(-1);
        event_.data = &unconnected_;
        event_.log = ngx_cycle->log;
        event_.cancelable = 1;
        event_.handler = on_event;
        interval_ = interval;
        tick_ = tick;
        running_ = true;
        ngx_add_timer(&event_, interval);
    }
    // From within a tick: the next one comes after `delay` milliseconds.
    void hurry(ngx_msec_t delay) noexcept { ngx_add_timer(&event_, delay); }
    void stop() noexcept {
        running_ = false;
        if (event_.timer_set) ngx_del_timer(&event_);
    }
    bool running() const noexcept { return running_; }

private:
    static void on_event(ngx_event_t* event) noexcept {
        // The event is the first member, so both have one address.
        auto* ticker = reinterpret_cast<Ticker*>(event);
        guard(event->log, 0, [ticker] {
            ticker->tick_();
            return 0;
        });
        if (ticker->running_ && !event->timer_set) ngx_add_timer(event, ticker->interval_);
    }

    ngx_event_t event_{};
    ngx_connection_t unconnected_{};  // nginx's debug lines ask a timer's data for its descriptor
    ngx_msec_t interval_ = 0;
    void (*tick_)() = nullptr;
    bool running_ = false;
};
static_assert(std::is_standard_layout_v<Ticker>);

}  // namespace gate::nginx
