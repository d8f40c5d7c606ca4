#include "redis/name_age.h"

namespace gate::redis {

namespace {

constexpr std::uint64_t kLeastInterval = 1000;

// A clock that went back has told nothing about the time since then.
std::uint64_t since(std::uint64_t then, std::uint64_t now) noexcept {
    return now > then ? now - then : 0;
}

}  // namespace

bool NameAge::due(std::uint64_t now) const noexcept {
    if (!ever_asked_) return true;
    return since(asked_, now) >= kLeastInterval && since(answered_, now) >= lifetime_;
}

void NameAge::asked(std::uint64_t now) noexcept {
    asked_ = now;
    ever_asked_ = true;
}

void NameAge::answered(std::uint64_t now, std::uint64_t lifetime) noexcept {
    answered_ = now;
    lifetime_ = lifetime;
}

}  // namespace gate::redis
