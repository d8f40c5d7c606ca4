// Events of an object's own: at an instant, or at the end of this turn of the event loop. What they
// call may destroy the object.
#pragma once

#include <type_traits>

#include "nginx/bridge.h"
#include "nginx/ngx.h"

namespace gate::nginx {

// An event of nginx's that calls a function with an object; what that throws is logged.
class OwnEvent {
public:
    OwnEvent(void (*call)(void*), void* object) noexcept : call_(call), object_(object) {
        event_.handler = on_event;
    }
    OwnEvent(const OwnEvent&) = delete;
    OwnEvent& operator=(const OwnEvent&) = delete;

    // For whoever sets a timer by it or posts it.
    ngx_event_t& ready() noexcept {
        event_.log = ngx_cycle->log;
        return event_;
    }
    ngx_event_t& event() noexcept { return event_; }
    const ngx_event_t& event() const noexcept { return event_; }

private:
    static void on_event(ngx_event_t* event) noexcept {
        auto* own = reinterpret_cast<OwnEvent*>(event);  // its first member
        guard(event->log, 0, [own] {
            own->call_(own->object_);
            return 0;
        });
    }

    ngx_event_t event_{};
    void (*call_)(void*);
    void* object_;
};
static_assert(std::is_standard_layout_v<OwnEvent>);

// Whether a timer that is set keeps an exiting worker from leaving.
enum class Binding : bool { kFree, kBinding };

class Alarm {
public:
    Alarm(void (*ring)(void*), void* object, Binding binding = Binding::kFree) noexcept
        : event_(ring, object) {
        unconnected_.fd = static_cast<ngx_socket_t>(-1);
        event_.event().data = &unconnected_;
        event_.event().cancelable = binding == Binding::kFree;
    }
    Alarm(const Alarm&) = delete;
    Alarm& operator=(const Alarm&) = delete;
    ~Alarm() { stop(); }

    // In place of an earlier instant. ngx_add_timer() alone would ignore small changes.
    void set(ngx_msec_t delay) noexcept {
        stop();
        ngx_add_timer(&event_.ready(), delay);
    }
    // Unless it rings before that anyway: who asks for it again and again does not put it off.
    void hasten(ngx_msec_t delay) noexcept {
        const auto left = static_cast<ngx_msec_int_t>(event_.event().timer.key - ngx_current_msec);
        if (!is_set() || left > static_cast<ngx_msec_int_t>(delay)) set(delay);
    }
    void stop() noexcept {
        if (is_set()) ngx_del_timer(&event_.event());
    }
    bool is_set() const noexcept { return event_.event().timer_set; }

private:
    OwnEvent event_;
    ngx_connection_t unconnected_{};  // nginx's debug lines ask a timer's data for its descriptor
};

// Something to do at the end of this turn, once however often it is asked for.
class Errand {
public:
    Errand(void (*run)(void*), void* object) noexcept : event_(run, object) {}
    Errand(const Errand&) = delete;
    Errand& operator=(const Errand&) = delete;
    ~Errand() {
        if (event_.event().posted) {
            ngx_delete_posted_event(&event_.event());  // several statements
        }
    }

    void post() noexcept {
        ngx_event_t* const event = &event_.ready();
        ngx_post_event(event, &ngx_posted_events);
    }

private:
    OwnEvent event_;
};

// `&call_member<Class, &Class::function>` as what an alarm or an errand calls.
template <class Object, void (Object::*function)()>
void call_member(void* object) {
    (static_cast<Object*>(object)->*function)();
}

}  // namespace gate::nginx
