// What a store in Redis is like, and whether it would keep what is put into it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gatectl/redis_session.h"
#include "redis/eviction.h"

namespace gate::ctl {

// Lines "name:value" of a reply to INFO.
using InfoFields = std::map<std::string, std::string, std::less<>>;
InfoFields info_fields(std::string_view text);

struct ReplicaState {
    std::string address;
    std::string state;         // "online"
    std::int64_t lag = -1;     // seconds since it was heard of; -1: not known
    std::int64_t behind = -1;  // octets that it has not acknowledged
};

// How the server keeps its data. Empty texts: it did not tell.
struct ServerState {
    std::string address;
    redis::Role role = redis::Role::kMaster;
    std::string version;
    std::optional<redis::EvictionPolicy> eviction;
    bool told = false;  // INFO was answered
    bool aof = false;
    std::string aof_status;           // of the last write: "ok"
    std::optional<std::string> save;  // the points of snapshots, "" for none; nullopt: not told
    std::string rdb_status;           // of the last snapshot
    std::vector<ReplicaState> replicas;
};

struct Findings {
    std::vector<std::string> problems;  // something loses, or has lost, what is revoked
    std::vector<std::string> warnings;
};

Result<ServerState, std::string> server_state(RedisSession& session);
// The same from replies: INFO of server, memory, persistence and replication, then CONFIG GET save.
ServerState read_server_state(const std::vector<redis::Reply>& replies);
void judge(const ServerState& server, Findings& findings);

// What the store holds; nullopt: it cannot be read, and a problem says so.
struct StoreContents {
    bool epoch = false;
    std::optional<std::int64_t> keys;
    std::optional<std::int64_t> revocations;
    std::optional<std::int64_t> past;  // of them; may be forgotten
    std::optional<std::int64_t> stream;
    std::size_t looked_at = 0;        // keys
    bool complete = false;            // all were looked at
    std::vector<std::string> broken;  // sentences
};
// `all`: looks at each record, and not only at the first ones.
Result<StoreContents, std::string> store_contents(RedisSession& session, Seconds now, bool all,
                                                  Findings& findings);

}  // namespace gate::ctl
