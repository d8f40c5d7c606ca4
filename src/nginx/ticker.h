// A timer of a worker's own that comes back by itself. It goes on while the worker exits, since a
// request that began before may still be decided, and does not keep it from leaving.
#pragma once

#include "nginx/alarm.h"
#include "nginx/bridge.h"
#include "nginx/ngx.h"

namespace gate::nginx {

class Ticker {
public:
    // Calls `tick` every `interval` milliseconds until stop(); what it throws is logged.
    void start(ngx_msec_t interval, void (*tick)()) noexcept {
        interval_ = interval;
        tick_ = tick;
        running_ = true;
        alarm_.set(interval);
    }
    // From within a tick: the next one comes after `delay` milliseconds.
    void hurry(ngx_msec_t delay) noexcept { alarm_.set(delay); }
    void stop() noexcept {
        running_ = false;
        alarm_.stop();
    }
    bool running() const noexcept { return running_; }

private:
    void ring() {
        guard(ngx_cycle->log, 0, [this] {
            tick_();
            return 0;
        });
        if (running_ && !alarm_.is_set()) alarm_.set(interval_);
    }

    Alarm alarm_{call_member<Ticker, &Ticker::ring>, this};
    ngx_msec_t interval_ = 0;
    void (*tick_)() = nullptr;
    bool running_ = false;
};

}  // namespace gate::nginx
