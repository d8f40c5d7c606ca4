// A request's pool as memory of standard containers: nothing is freed before the request ends.
#pragma once

#include <memory_resource>
#include <new>

#include "nginx/ngx.h"

namespace gate::nginx {

class PoolMemory : public std::pmr::memory_resource {
public:
    explicit PoolMemory(ngx_pool_t* pool) noexcept : pool_(pool) {}
    // Nothing that was taken from the other pool may still be in use.
    void change_to(ngx_pool_t* pool) noexcept { pool_ = pool; }

private:
    void* do_allocate(std::size_t size, std::size_t alignment) override {
        void* memory = alignment <= NGX_ALIGNMENT ? ngx_palloc(pool_, size)
                                                  : ngx_pmemalign(pool_, size, alignment);
        if (memory == nullptr) throw std::bad_alloc();
        return memory;
    }
    void do_deallocate(void*, std::size_t, std::size_t) override {}
    bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
        return this == &other;
    }

    ngx_pool_t* pool_;
};

}  // namespace gate::nginx
