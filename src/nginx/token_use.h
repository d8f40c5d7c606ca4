// A token that is good for one use: of all who come with it, on whichever node, one is the first.
#pragma once

#include <optional>

#include "base/reason.h"
#include "base/result.h"
#include "base/time.h"
#include "cache/journal.h"
#include "nginx/alarm.h"
#include "nginx/conf.h"
#include "nginx/waiting.h"
#include "redis/pipeline.h"

namespace gate::nginx {

enum class Use : std::uint8_t {
    kFirst,
    kAgainSoon,  // within `reuse` of the first: two that came at once
    kAgain,
};

class TokenUse final : private redis::Caller {
public:
    TokenUse() = default;
    TokenUse(const TokenUse&) = delete;
    TokenUse& operator=(const TokenUse&) = delete;
    ~TokenUse() { leave(); }

    // `token` names it as a revocation does, kills what was issued up to now, and is kept until
    // token.expires. Where gate_revocation names a Redis that is asked, else the zone. Wakes
    // `waiter` when result() is there, never before this returns.
    void begin(const MainConf& main, const cache::JournalEntry& token, Seconds reuse,
               Waiter& waiter);
    bool begun() const noexcept { return waiter_ != nullptr; }
    // kStoreUnavailable, kStoreTimeout: it may count as used, or not.
    const std::optional<Result<Use, Reason>>& result() const noexcept { return result_; }
    void leave() noexcept;

private:
    void answered(std::vector<redis::Reply> replies) override;
    void failed(redis::LinkFailure failure) override;
    void ask();
    void look();
    void finish(Result<Use, Reason> result);

    const MainConf* main_ = nullptr;
    const RedisConf* asked_ = nullptr;
    cache::JournalEntry token_;
    Seconds reuse_ = 0;
    Waiter* waiter_ = nullptr;
    std::optional<Result<Use, Reason>> result_;
    Alarm again_{call_member<TokenUse, &TokenUse::look>, this, Binding::kBinding};
};

}  // namespace gate::nginx
