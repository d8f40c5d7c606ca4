// Revocations that the gate makes itself: durable, and in force on this node, before anybody is
// told. In Redis where gate_revocation names it, else in the zone's journal.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/reason.h"
#include "cache/journal.h"
#include "nginx/alarm.h"
#include "nginx/conf.h"
#include "nginx/waiting.h"
#include "redis/pipeline.h"

namespace gate::nginx {

// False after a message: there is nowhere to keep what the directive at `where` revokes.
bool check_revocation_place(ngx_conf_t* cf, const MainConf& main, const std::string& directive,
                            const std::string& where);

class RevocationWrite final : private redis::Caller {
public:
    RevocationWrite() = default;
    RevocationWrite(const RevocationWrite&) = delete;
    RevocationWrite& operator=(const RevocationWrite&) = delete;
    ~RevocationWrite() { leave(); }

    // Wakes `waiter` when result() is there, never before this returns.
    void begin(const MainConf& main, std::vector<cache::JournalEntry> entries, Waiter& waiter);
    bool begun() const noexcept { return waiter_ != nullptr; }
    // kNone: it is done. kStoreUnavailable, kStoreTimeout: it may be in force, or not.
    const std::optional<Reason>& result() const noexcept { return result_; }
    // Nobody waits any more; what has gone out is done all the same.
    void leave() noexcept;

private:
    struct Append;

    void answered(std::vector<redis::Reply> replies) override;
    void failed(redis::LinkFailure failure) override;
    void ask();
    void append();
    // Into the zone, whose lock may be taken: then once more a little later.
    void put();
    void finish(Reason reason);

    const MainConf* main_ = nullptr;
    const RedisConf* asked_ = nullptr;
    std::vector<cache::JournalEntry> entries_;
    std::shared_ptr<Append> append_;
    Waiter* waiter_ = nullptr;
    std::optional<Reason> result_;
    Alarm again_{call_member<RevocationWrite, &RevocationWrite::put>, this, Binding::kBinding};
};

// For exit_process: waits for what is being written.
void stop_revocation_writes() noexcept;

}  // namespace gate::nginx
