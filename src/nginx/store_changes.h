// Changes of a store on their way into the zone: what is revoked, and whose record is outdated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/revocations.h"
#include "cache/zone.h"
#include "nginx/live.h"
#include "policy/engine.h"
#include "redis/change.h"

namespace gate::nginx {

struct MainConf;

// A line of the error log about a store that is followed.
void complain_of(const RedisConf& store, const std::string& what);
// About an item that a later version wrote, or a hand: it revokes nothing here.
void complain_of_item(const RedisConf& store, std::string_view item);

class StoreChanges {
public:
    // Of the store in that Redis: all gate_keys blocks of `main` that have their keys there.
    StoreChanges(cache::Zone& zone, const MainConf& main, const RedisConf& redis);

    // An item of the set of what is revoked. False: it is none.
    bool add_item(std::string_view item, std::optional<std::int64_t> forget_at);
    // The same with the score that the set gives it: Unix seconds, or inf.
    bool add_scored(std::string_view item, std::string_view score);
    // False: it does not say what it should.
    bool add(const redis::Change& change);

    // Puts in force what was added. False: the zone's lock is taken; try again soon.
    bool apply();
    // A revocation did not fit.
    bool full() const noexcept { return full_; }
    std::size_t revocations() const noexcept { return entries_.size(); }

private:
    bool apply_entries();
    bool apply_keys();

    cache::Zone& zone_;
    std::vector<const LiveStore*> stores_;
    std::vector<cache::RevocationEntry> entries_;
    std::vector<policy::Need> keys_;
    bool full_ = false;
};

}  // namespace gate::nginx
