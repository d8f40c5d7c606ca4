#include "nginx/redis_topology.h"

#include <algorithm>

namespace gate::nginx {

namespace {

class Standalone final : public RedisTopology {
public:
    explicit Standalone(const RedisConf& conf) : server_(conf.servers.front()) {}
    const RedisServer* server_for(std::string_view /*key*/) const override { return &server_; }

private:
    const RedisServer& server_;
};

}  // namespace

std::unique_ptr<RedisTopology> make_topology(const RedisConf& conf, RedisTopology::User& user) {
    switch (conf.topology) {
        case RedisTopologyKind::kSentinel:
            return make_sentinel_topology(conf, user);
        case RedisTopologyKind::kCluster:
            return make_cluster_topology(conf, user);
        case RedisTopologyKind::kStandalone:
            break;
    }
    return std::make_unique<Standalone>(conf);
}

RedisServer named_server(const RedisConf& conf, const redis::Endpoint& endpoint) {
    RedisServer server{endpoint, {}};
    if (auto address = literal_address(endpoint)) {
        server.addresses.push_back(*address);
        return server;
    }
    const auto written = std::ranges::find(conf.servers, endpoint, &RedisServer::endpoint);
    if (written != conf.servers.end()) server.addresses = written->addresses;
    return server;
}

}  // namespace gate::nginx
