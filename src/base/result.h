// A value or the reason there is none. Errors are values here: nothing in the core throws.
#pragma once

#include <utility>
#include <variant>

namespace gate {

template <class E>
struct Failure {
    E error;
};

// `return fail(Reason::kSigBad);` converts to any Result with that error type.
template <class E>
[[nodiscard]] constexpr Failure<E> fail(E error) {
    return Failure<E>{std::move(error)};
}

template <class T, class E>
class [[nodiscard]] Result {
public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Failure<E> failure) : state_(std::in_place_index<1>, std::move(failure.error)) {}

    explicit operator bool() const noexcept { return state_.index() == 0; }

    // Callers test the result first; reading the wrong side is undefined.
    T& operator*() & noexcept { return *std::get_if<0>(&state_); }
    const T& operator*() const& noexcept { return *std::get_if<0>(&state_); }
    T&& operator*() && noexcept { return std::move(*std::get_if<0>(&state_)); }
    T* operator->() noexcept { return std::get_if<0>(&state_); }
    const T* operator->() const noexcept { return std::get_if<0>(&state_); }

    const E& error() const noexcept { return *std::get_if<1>(&state_); }

private:
    std::variant<T, E> state_;
};

// For operations that only succeed or fail.
struct Done {};

template <class E>
using Status = Result<Done, E>;

}  // namespace gate
