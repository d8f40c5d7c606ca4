// Events of an object's own: at an instant, or at the end of this turn of the event loop. What they
// call may destroy the object.
#pragma once

#include "nginx/bridge.h"
#include "nginx/ngx.h"

namespace gate::nginx {

// Whether a timer that is set keeps an exiting worker from leaving.
enum class Binding : bool { kFree, kBinding };

class Alarm {
public:
    Alarm(void (*ring)(void*), void* object, Binding binding = Binding::kFree) noexcept
        : ring_(ring), object_(object) {
        unconnected_.fd = static_cast<ngx_socket_t>(-1);
        event_.data = &unconnected_;
        event_.cancelable = binding == Binding::kFree;
        event_.handler = on_event;
    }
    Alarm(const Alarm&) = delete;
    Alarm& operator=(const Alarm&) = delete;
    ~Alarm() { stop(); }

    // In place of an earlier instant. ngx_add_timer() alone would ignore small changes.
    void set(ngx_msec_t delay) noexcept {
        stop();
        event_.log = ngx_cycle->log;
        ngx_add_timer(&event_, delay);
    }
    // Unless it rings before that anyway: who asks for it again and again does not put it off.
    void hasten(ngx_msec_t delay) noexcept {
        const auto left = static_cast<ngx_msec_int_t>(event_.timer.key - ngx_current_msec);
        if (!is_set() || left > static_cast<ngx_msec_int_t>(delay)) set(delay);
    }
    void stop() noexcept {
        if (event_.timer_set) ngx_del_timer(&event_);
    }
    bool is_set() const noexcept { return event_.timer_set; }

private:
    static void on_event(ngx_event_t* event) noexcept {
        auto* alarm = reinterpret_cast<Alarm*>(event);  // its first member
        guard(event->log, 0, [alarm] {
            alarm->ring_(alarm->object_);
            return 0;
        });
    }

    ngx_event_t event_{};
    ngx_connection_t unconnected_{};  // nginx's debug lines ask a timer's data for its descriptor
    void (*ring_)(void*);
    void* object_;
};

// Something to do at the end of this turn, once however often it is asked for.
class Errand {
public:
    Errand(void (*run)(void*), void* object) noexcept : run_(run), object_(object) {
        event_.handler = on_event;
    }
    Errand(const Errand&) = delete;
    Errand& operator=(const Errand&) = delete;
    ~Errand() {
        if (event_.posted) {
            ngx_delete_posted_event(&event_);  // several statements
        }
    }

    void post() noexcept {
        event_.log = ngx_cycle->log;
        ngx_post_event(&event_, &ngx_posted_events);
    }

private:
    static void on_event(ngx_event_t* event) noexcept {
        auto* errand = reinterpret_cast<Errand*>(event);  // its first member
        guard(event->log, 0, [errand] {
            errand->run_(errand->object_);
            return 0;
        });
    }

    ngx_event_t event_{};
    void (*run_)(void*);
    void* object_;
};
static_assert(std::is_standard_layout_v<Alarm> && std::is_standard_layout_v<Errand>);

// `&call_member<Class, &Class::function>` as what an alarm or an errand calls.
template <class Object, void (Object::*function)()>
void call_member(void* object) {
    (static_cast<Object*>(object)->*function)();
}

}  // namespace gate::nginx
