// Which process of the machine does something for all. The others watch its heartbeat, and one of
// them takes over when it has stopped.
#pragma once

#include <cstdint>

#include "cache/node_facts.h"

namespace gate::nginx {

class Lead {
public:
    // How often a leader calls beat(), and others try_take(), where every moment without one
    // counts.
    static constexpr std::uint64_t kHeartbeat = 100;  // milliseconds
    static constexpr std::uint64_t kTakeover = 400;   // without a heartbeat

    explicit Lead(cache::LeadState& state) noexcept : state_(state) {}

    // This process took the lead once, and may not know yet that it has lost it.
    bool taken() const noexcept { return generation_ != 0; }
    // It still has it. A leader that was stopped in between finds out late: what it does until then
    // has to be harmless when two do it.
    bool held() const noexcept;
    // Takes the lead where nobody has it.
    bool try_take() noexcept;
    void beat() noexcept;
    void resign() noexcept;

private:
    cache::LeadState& state_;
    std::uint64_t generation_ = 0;
};

}  // namespace gate::nginx
