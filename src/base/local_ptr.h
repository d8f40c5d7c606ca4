// Shared ownership within one thread: the count stands in the object, and no copy asks whether the
// process has threads, as those of std::shared_ptr do.
#pragma once

#include <cstddef>
#include <utility>

namespace gate {

// What an object inherits that LocalPtr owns.
class LocalCount {
public:
    LocalCount() = default;
    LocalCount(const LocalCount&) = delete;
    LocalCount& operator=(const LocalCount&) = delete;

private:
    template <class T>
    friend class LocalPtr;
    std::size_t owners_ = 0;
};

// Whoever is the last to own the object deletes it. Not thread-safe.
template <class T>
class LocalPtr {
public:
    LocalPtr() = default;
    LocalPtr(std::nullptr_t) noexcept {}
    // Of an object made by new, or nullptr.
    explicit LocalPtr(T* object) noexcept : object_(object) {
        if (object_ != nullptr) ++object_->owners_;
    }
    LocalPtr(const LocalPtr& other) noexcept : LocalPtr(other.object_) {}
    LocalPtr(LocalPtr&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
    LocalPtr& operator=(LocalPtr other) noexcept {
        std::swap(object_, other.object_);
        return *this;
    }
    ~LocalPtr() {
        if (object_ != nullptr && --object_->owners_ == 0) drop(object_);
    }

    T& operator*() const noexcept { return *object_; }
    T* operator->() const noexcept { return object_; }
    explicit operator bool() const noexcept { return object_ != nullptr; }
    bool operator==(const LocalPtr&) const = default;

private:
    [[gnu::noinline]] static void drop(T* object) noexcept { delete object; }

    T* object_ = nullptr;
};

template <class T, class... Args>
LocalPtr<T> make_local(Args&&... args) {
    return LocalPtr<T>(new T(std::forward<Args>(args)...));
}

}  // namespace gate
