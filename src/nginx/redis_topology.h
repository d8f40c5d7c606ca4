// Which server has a key: the one that was written, the master that the sentinels name, or the node
// of the cluster that serves the key's slot.
#pragma once

#include <memory>
#include <string_view>

#include "nginx/redis_conf.h"
#include "redis/cluster.h"
#include "redis/endpoint.h"

namespace gate::nginx {

class RedisTopology {
public:
    // Hears when server_for() may answer something else than before.
    class User {
    public:
        virtual void servers_changed() = 0;

    protected:
        ~User() = default;
    };

    virtual ~RedisTopology() = default;
    // nullptr: not known now.
    virtual const RedisServer* server_for(std::string_view key) const = 0;
    virtual void start() {}
    // Something speaks against what is known: looks again, soon.
    virtual void doubt() {}
    // A node of the cluster says who serves a slot now.
    virtual void moved(const redis::Redirect& /*redirect*/) {}
    // Where the topology names servers, one that it did not name is left.
    virtual bool follows() const { return true; }
};

std::unique_ptr<RedisTopology> make_topology(const RedisConf& conf, RedisTopology::User& user);

// For `redis_sentinel.cc` and `redis_cluster.cc`.
std::unique_ptr<RedisTopology> make_sentinel_topology(const RedisConf& conf,
                                                      RedisTopology::User& user);
std::unique_ptr<RedisTopology> make_cluster_topology(const RedisConf& conf,
                                                     RedisTopology::User& user);

// A server that another one named. Addresses are empty where it is a name that nobody has resolved.
RedisServer named_server(const RedisConf& conf, const redis::Endpoint& endpoint);

}  // namespace gate::nginx
