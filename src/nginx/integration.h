// What the gate depends on, one by one: what a worker notes of it for all, and what all know makes
// of it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cache/node_facts.h"
#include "policy/health.h"

namespace gate::nginx {

struct MainConf;

class WatchedIntegration {
public:
    WatchedIntegration(std::string kind, std::string name, std::string where)
        : kind_(std::move(kind)), name_(std::move(name)), where_(std::move(where)) {}
    WatchedIntegration(const WatchedIntegration&) = delete;
    WatchedIntegration& operator=(const WatchedIntegration&) = delete;
    virtual ~WatchedIntegration() = default;

    const std::string& kind() const noexcept { return kind_; }
    const std::string& name() const noexcept { return name_; }
    const std::string& where() const noexcept { return where_; }

    // In each worker, several times a second.
    virtual void note(cache::IntegrationState& state) = 0;
    // In the one that judges for all.
    virtual policy::Health judge(const cache::IntegrationState& state) = 0;

private:
    std::string kind_;
    std::string name_;
    std::string where_;
};

// All that the configuration names, in an order in which what others stand on comes first.
std::vector<std::unique_ptr<WatchedIntegration>> integrations_of(const MainConf& main);

}  // namespace gate::nginx
