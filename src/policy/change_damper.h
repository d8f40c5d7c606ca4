// Which changes of a state are told at once: each state a few times a minute. What goes up and down
// all the time is then told of once the minute is over, with how often it changed meanwhile; the
// last that was told is true, or will be.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "policy/health.h"

namespace gate::policy {

class ChangeDamper {
public:
    static constexpr std::uint64_t kMinute = 60'000;  // milliseconds
    static constexpr unsigned kMost = 4;              // times that a state is told in it

    struct Told {
        HealthState before;  // as it was told last
        HealthState now;
        unsigned left_out;  // changes in between
    };

    void changed(HealthState before, HealthState now) noexcept {
        if (changes_++ == 0) before_ = before;
        now_ = now;
    }
    // What is to be told now, at `now` milliseconds of any clock.
    std::optional<Told> take(std::uint64_t now) noexcept {
        if (changes_ == 0 || now_ == before_) return std::nullopt;
        Minute& minute = minutes_[static_cast<std::size_t>(now_) % minutes_.size()];
        if (minute.told == 0 || now - minute.begun >= kMinute) minute = {now, 0};
        if (minute.told == kMost) return std::nullopt;
        ++minute.told;
        const Told told{before_, now_, changes_ - 1};
        changes_ = 0;
        return told;
    }

private:
    struct Minute {
        std::uint64_t begun = 0;
        unsigned told = 0;
    };
    std::array<Minute, 5> minutes_{};  // of each state
    HealthState before_ = HealthState::kStarting;
    HealthState now_ = HealthState::kStarting;
    unsigned changes_ = 0;  // that were not told
};

}  // namespace gate::policy
