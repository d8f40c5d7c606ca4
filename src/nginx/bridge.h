// Where C++ meets nginx: strings, objects in pools, and the guard that every callback runs in.
#pragma once

#include <exception>
#include <new>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "nginx/ngx.h"

namespace gate::nginx {

inline std::string_view view(const ngx_str_t& text) noexcept {
    return {reinterpret_cast<const char*>(text.data), text.len};
}

// nginx never writes through these; the text must live as long as the ngx_str_t is used.
inline ngx_str_t str(std::string_view text) noexcept {
    return {text.size(), reinterpret_cast<u_char*>(const_cast<char*>(text.data()))};
}

// A copy in the pool; throws bad_alloc, which guard() turns into the callback's failure value.
inline std::string_view copy(ngx_pool_t* pool, std::string_view text) {
    auto* data = static_cast<char*>(ngx_pnalloc(pool, text.size() + 1));
    if (data == nullptr) throw std::bad_alloc();
    if (!text.empty()) ngx_memcpy(data, text.data(), text.size());
    data[text.size()] = '\0';
    return {data, text.size()};
}

// Whoever asks for the variable next has it evaluated anew.
inline void forget_variable(ngx_http_request_t* r, ngx_uint_t index) noexcept {
    r->variables[index].valid = 0;
    r->variables[index].not_found = 0;
}

// An object that lives as long as the pool; its destructor runs as a pool cleanup.
template <class T, class... Args>
T* pool_new(ngx_pool_t* pool, Args&&... args) {
    constexpr bool kAligned = alignof(T) <= NGX_ALIGNMENT;
    ngx_pool_cleanup_t* cleanup = ngx_pool_cleanup_add(pool, kAligned ? sizeof(T) : 0);
    if (cleanup == nullptr) throw std::bad_alloc();
    if (!kAligned) cleanup->data = ngx_pmemalign(pool, sizeof(T), alignof(T));
    if (cleanup->data == nullptr) throw std::bad_alloc();
    T* object = new (cleanup->data) T(std::forward<Args>(args)...);
    cleanup->handler = [](void* data) { static_cast<T*>(data)->~T(); };
    return object;
}

inline ngx_log_t* log_of(ngx_log_t* log) noexcept {
    return log;
}
inline ngx_log_t* log_of(const ngx_http_request_t* r) noexcept {
    return r->connection->log;
}

// Runs `body`; an exception becomes one log line and `failed`. Nothing is ever thrown into nginx.
// `origin`: the log, or the request that has it.
template <class Origin, class Failed, class Body>
auto guard(Origin* origin, Failed failed, Body&& body) noexcept -> decltype(body()) {
    try {
        return body();
    } catch (const std::exception& problem) {
        ngx_log_error(NGX_LOG_CRIT, log_of(origin), 0, "gate: internal error: %s", problem.what());
    } catch (...) {
        ngx_log_error(NGX_LOG_CRIT, log_of(origin), 0, "gate: internal error");
    }
    return failed;
}

}  // namespace gate::nginx
