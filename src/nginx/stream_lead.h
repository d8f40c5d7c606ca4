// Which process of the machine follows a store. The others watch its heartbeat, and one of them
// takes over when it has stopped.
#pragma once

#include <cstdint>

#include "cache/zone.h"

namespace gate::nginx {

class StreamLead {
public:
    // How often a leader has to call beat(), and others try().
    static constexpr std::uint64_t kHeartbeat = 100;  // milliseconds
    static constexpr std::uint64_t kTakeover = 400;   // without a heartbeat

    explicit StreamLead(cache::StreamState& state) noexcept : state_(state) {}

    // This process took the lead once, and may not know yet that it has lost it.
    bool taken() const noexcept { return generation_ != 0; }
    // It still has it. What a leader that was stopped in between finds out late does no harm: ids
    // of the stream only go back, and are applied twice.
    bool held() const noexcept;
    // Takes the lead where nobody has it.
    bool try_take() noexcept;
    void beat() noexcept;
    void resign() noexcept;

private:
    cache::StreamState& state_;
    std::uint64_t generation_ = 0;
};

}  // namespace gate::nginx
