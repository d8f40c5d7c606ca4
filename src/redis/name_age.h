// When the addresses of a name are asked for again. Milliseconds of any clock.
#pragma once

#include <cstdint>

namespace gate::redis {

// What is known is good for as long as it was said to be, and never asked for more often than once
// a second, whoever needs it and whatever comes of it.
class NameAge {
public:
    bool due(std::uint64_t now) const noexcept;
    void asked(std::uint64_t now) noexcept;
    void answered(std::uint64_t now, std::uint64_t lifetime) noexcept;

private:
    std::uint64_t asked_ = 0;
    std::uint64_t answered_ = 0;
    std::uint64_t lifetime_ = 0;
    bool ever_asked_ = false;
};

}  // namespace gate::redis
