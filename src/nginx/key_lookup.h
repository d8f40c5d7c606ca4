// Looking an API key's record up in Redis: one question for all requests of this worker that come
// with the same key, and the answer kept for everybody in shared memory.
#pragma once

#include <optional>

#include "base/reason.h"
#include "cache/zone.h"
#include "nginx/live.h"
#include "nginx/waiting.h"
#include "policy/engine.h"

namespace gate::nginx {

class KeyLookup;

// One request's part in a lookup.
class KeyTicket {
public:
    KeyTicket() noexcept = default;
    KeyTicket(const KeyTicket&) = delete;
    KeyTicket& operator=(const KeyTicket&) = delete;
    ~KeyTicket() { leave(); }

    // What the lookup brought, once it is there.
    const std::optional<policy::Answer>& answer() const noexcept { return answer_; }
    // For another lookup.
    void clear() noexcept {
        leave();
        answer_.reset();
    }

private:
    friend class KeyLookup;
    void leave() noexcept;

    KeyLookup* lookup_ = nullptr;
    Waiter* waiter_ = nullptr;
    std::optional<policy::Answer> answer_;
};

// Asks the store of `live` for the record that `need` names, unless that is being asked for. When
// the answer is in `ticket`, `waiter` is woken; both must last until then or leave. Or why nobody
// can be asked. `zone` may be nullptr.
std::optional<Reason> look_up(const LiveStore& live, const policy::Need& need, cache::Zone* zone,
                              KeyTicket& ticket, Waiter& waiter);

// For exit_process: no answer is awaited any more.
void stop_key_lookups() noexcept;

}  // namespace gate::nginx
