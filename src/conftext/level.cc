#include "conftext/level.h"

#include <algorithm>

namespace gate::conftext {

namespace {

std::string name_of(const Level& parent, const Node& block) {
    if (block.name == "if" || block.name == "limit_except")
        return block.name + " in " + parent.name;
    std::string name = block.name;
    for (const std::string& arg : block.args) name += " " + arg;
    return name;
}

// `gate_source jwt arg=a` and `gate_source jwt cookie=c` of one level make one list, which replaces
// the inherited list of that kind.
void take_sources(const Node& block, std::string_view kind, std::vector<const Node*>& sources) {
    std::vector<const Node*> own;
    for (const Node& node : block.children) {
        if (node.name == "gate_source" && !node.args.empty() && node.args[0] == kind) {
            own.push_back(&node);
        }
    }
    if (!own.empty()) sources = std::move(own);
}

void take_cache(const Node& node, Level& level) {
    for (std::size_t i = 0; i < kCachingModules.size(); ++i) {
        const std::string module(kCachingModules[i]);
        if (node.name == module + "_cache") level.caches[i].zone = &node;
        if (node.name == module + "_cache_key") level.caches[i].key = &node;
        if (node.name == module + "_no_cache") level.caches[i].no_cache = &node;
    }
}

bool is_local(const Node& listen) {
    if (listen.args.empty()) return false;
    const std::string& address = listen.args[0];
    return address.starts_with("127.") || address.starts_with("unix:") ||
           address.starts_with("localhost") || address.starts_with("[::1]");
}

// A server that only its own machine reaches.
bool listens_locally(const Node& server) {
    const auto listens = [](const Node& node) { return node.name == "listen"; };
    const auto elsewhere = [&](const Node& node) { return listens(node) && !is_local(node); };
    return std::any_of(server.children.begin(), server.children.end(), listens) &&
           std::none_of(server.children.begin(), server.children.end(), elsewhere);
}

// What another module says about who may come in; `off` opens again.
void take_restriction(const Node& node, Level& level) {
    if (node.name == "deny" || node.name == "internal") level.restricted = true;
    if ((node.name == "auth_basic" || node.name == "auth_request") && !node.args.empty()) {
        level.restricted = node.args[0] != "off";
    }
}

bool accepts(const Node* gate_line, std::string_view kind) {
    if (gate_line == nullptr) return false;
    const std::string named = std::string(kind) + "=";
    return std::any_of(gate_line->args.begin(), gate_line->args.end(), [&](const std::string& arg) {
        return arg == kind || arg.starts_with(named);
    });
}

const Node* query_of(const std::vector<const Node*>& sources) {
    for (const Node* source : sources) {
        if (source->args.size() > 1 && source->args[1].starts_with("arg=")) return source;
    }
    return nullptr;
}

}  // namespace

bool Cache::on() const {
    return zone != nullptr && !zone->args.empty() && zone->args[0] != "off";
}

const Node* Level::query_source() const {
    const Node* source = accepts(gate_line, "jwt") ? query_of(jwt_sources) : nullptr;
    if (source == nullptr && accepts(gate_line, "key")) source = query_of(key_sources);
    return source;
}

Level enter(const Level& parent, const Node& block) {
    Level level = parent;
    level.name = name_of(parent, block);
    if (block.name == "server" && listens_locally(block)) level.restricted = true;
    for (const Node& node : block.children) {
        if (node.name == "gate" && !node.args.empty()) {
            level.gate = node.args[0] == "off" ? GateState::kOff : GateState::kOn;
            level.gate_line = &node;
        } else if (node.name == "gate_strip" && !node.args.empty()) {
            level.strip = node.args[0] != "off";
        } else {
            take_cache(node, level);
            take_restriction(node, level);
        }
    }
    take_sources(block, "jwt", level.jwt_sources);
    take_sources(block, "key", level.key_sources);
    return level;
}

bool opens_level(const Node& node) {
    return node.block && (node.name == "server" || node.name == "location" || node.name == "if" ||
                          node.name == "limit_except");
}

}  // namespace gate::conftext
