// A zone in memory of its own, whose writer lock can be held by somebody else.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "cache/zone.h"
#include "tests/support/shared_region.h"

namespace gate::test {

class TestZone {
public:
    explicit TestZone(std::size_t size = std::size_t{1} << 20) : region_(size) {
        std::vector<std::uint8_t> random(cache::Zone::kRandomSize);
        for (std::size_t i = 0; i < random.size(); ++i) {
            random[i] = static_cast<std::uint8_t>((i * 2654435761U) >> 13);
        }
        EXPECT_EQ(cache::Zone::format(region_.bytes(), random), cache::Zone::Problem::kNone);
        zone_.emplace(region_.bytes(), cache::WriterLock{try_lock, unlock, this});
    }
    TestZone(const TestZone&) = delete;
    TestZone& operator=(const TestZone&) = delete;
    ~TestZone() { EXPECT_FALSE(held_) << "a writer kept the lock"; }

    cache::Zone& operator*() { return *zone_; }
    cache::Zone* operator->() { return &*zone_; }
    std::span<std::byte> bytes() const { return region_.bytes(); }

    bool taken = false;  // by somebody else
    int writes = 0;      // how often the lock was got
    // What another process does just before the lock is taken, once.
    std::function<void()> meanwhile;

private:
    static bool try_lock(void* data) noexcept {
        auto* self = static_cast<TestZone*>(data);
        if (self->meanwhile) std::exchange(self->meanwhile, nullptr)();
        if (self->taken || self->held_) return false;
        self->held_ = true;
        ++self->writes;
        return true;
    }
    static void unlock(void* data) noexcept { static_cast<TestZone*>(data)->held_ = false; }

    SharedRegion region_;
    std::optional<cache::Zone> zone_;
    bool held_ = false;
};

}  // namespace gate::test
