// Redis Cluster: which node has a key (https://redis.io/docs/reference/cluster-spec).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "redis/endpoint.h"
#include "redis/reply.h"

namespace gate::redis {

inline constexpr std::uint16_t kSlots = 16384;

// CRC-16/XMODEM of the key, or of what stands between its first '{' and the next '}' if that is not
// empty, modulo kSlots.
std::uint16_t slot_of(std::string_view key) noexcept;

// "MOVED 3999 127.0.0.1:6381" and "ASK ..". An empty host means the node that was asked.
struct Redirect {
    bool ask = false;
    std::uint16_t slot = 0;
    Endpoint to;
};
std::optional<Redirect> read_redirect(std::string_view error, const Endpoint& asked);

class SlotMap {
public:
    // Takes the reply to CLUSTER SLOTS, which `asked` gave; false, with nothing changed, where it
    // is none. Slots that it leaves out have no owner.
    bool assign(const Reply& reply, const Endpoint& asked);
    // nullptr: nobody is known to serve the slot.
    const Endpoint* owner(std::uint16_t slot) const noexcept;
    void move(std::uint16_t slot, const Endpoint& to);
    void clear() noexcept;
    // All owners, each once.
    const std::vector<Endpoint>& owners() const noexcept { return owners_; }

private:
    static constexpr std::uint16_t kNobody = 0xffff;
    std::uint16_t number_of(const Endpoint& endpoint);
    void drop_if_idle(std::uint16_t number) noexcept;

    std::vector<Endpoint> owners_;
    std::vector<std::uint16_t> slots_ = std::vector<std::uint16_t>(kSlots, kNobody);
};

}  // namespace gate::redis
