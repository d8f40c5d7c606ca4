#include "conftext/warnings.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "conftext/identity_text.h"
#include "conftext/level.h"

namespace gate::conftext {

namespace {

constexpr std::array<std::string_view, 5> kPassDirectives = {
    "proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass"};

// A directive with its values, as a message shows it.
std::string shown(const Node& node) {
    std::string text = "\"" + node.name;
    for (const std::string& arg : node.args) text += " " + arg;
    return text + "\"";
}

bool has_gate(const Node& block) {
    return std::any_of(block.children.begin(), block.children.end(), [](const Node& node) {
        if (node.name == "gate") return !node.args.empty() && node.args[0] != "off";
        return opens_level(node) && has_gate(node);
    });
}

bool is_code(const std::string& text) {
    return text.size() == 3 &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Redirects, closed connections and bare refusals show nobody anything.
bool shows_something(const Node& node) {
    if (node.args.empty() || !is_code(node.args[0])) return false;  // "return URL": 302
    const std::string& code = node.args[0];
    if (code[0] == '2') return true;
    constexpr std::array<std::string_view, 5> kRedirects = {"301", "302", "303", "307", "308"};
    const bool redirect = std::find(kRedirects.begin(), kRedirects.end(), code) != kRedirects.end();
    return node.args.size() > 1 && !redirect;
}

// What a load balancer asks for says nothing that a stranger could use.
bool tells_about_the_gate(const Node& node) {
    if (node.name == "gate_metrics") return true;
    return node.name == "gate_health" && !(node.args.size() == 1 && node.args[0] == "ready");
}

class Checker {
public:
    explicit Checker(const std::vector<Node>& tree) : identity_(tree) {}

    void check_block(const Level& level, const Node& block, bool server_has_gates) {
        for (const Node& node : block.children) {
            if (node.name == "return") check_return(level, node);
            if (tells_about_the_gate(node)) check_told(level, node);
            check_pass(level, node, server_has_gates);
            if (!opens_level(node)) continue;
            check_block(enter(level, node), node,
                        server_has_gates || (node.name == "server" && has_gate(node)));
        }
    }

    std::vector<Warning> take() { return std::move(warnings_); }

private:
    void warn(const Node& node, std::string text) {
        const auto same = [&](const Warning& warning) {
            return warning.line == node.line && warning.file == node.file && warning.text == text;
        };
        if (std::any_of(warnings_.begin(), warnings_.end(), same)) return;
        warnings_.push_back({node.file, node.line, std::move(text)});
    }

    void check_return(const Level& level, const Node& node) {
        if (level.gate != GateState::kOn || !shows_something(node)) return;
        warn(node, shown(node) + " in " + level.name +
                       " is answered before the gate decides: any credential, even a forged one, "
                       "gets it; answer from a file or an upstream, or write \"gate off;\" there");
    }

    void check_told(const Level& level, const Node& node) {
        if (level.gate == GateState::kOn || level.restricted) return;
        const std::string what =
            node.name == "gate_metrics"
                ? "the names of servers, issuers and stores and what is refused"
                : "what the gate stands on, or what it leaves open";
        warn(node, shown(node) + " in " + level.name + " tells everyone " + what +
                       "; write \"gate ..;\" or \"allow ..; deny all;\" there");
    }

    void check_pass(const Level& level, const Node& node, bool server_has_gates) {
        const auto pass = std::find(kPassDirectives.begin(), kPassDirectives.end(), node.name);
        if (pass == kPassDirectives.end()) return;
        if (level.gate == GateState::kUnset && server_has_gates) {
            warn(node,
                 shown(node) + " in " + level.name +
                     " is open to everyone, while other locations of the server have a gate; "
                     "write \"gate ..;\" there, or \"gate off;\" if it is meant to be public");
        }
        if (level.gate != GateState::kOn) return;
        for (std::size_t i = 0; i < kCachingModules.size(); ++i) {
            const bool own = node.name == std::string(kCachingModules[i]) + "_pass";
            if (own && level.caches[i].on()) check_cache(level, level.caches[i]);
        }
    }

    void check_cache(const Level& level, const Cache& cache) {
        const std::string module = cache.zone->name;  // "proxy_cache"
        if (const Node* source = level.query_source()) {
            warn(*cache.zone, shown(*cache.zone) + " is in force in " + level.name +
                                  " together with " + shown(*source) +
                                  ": what differs only in the argument shares one entry of the "
                                  "cache; use a header or a cookie, or write \"" +
                                  module + " off;\" there");
        }
        if (cache.no_cache != nullptr && holds_identity(*cache.no_cache, level)) return;
        if (cache.key != nullptr && holds_identity(*cache.key, level)) return;
        const std::string key = cache.key != nullptr && !cache.key->args.empty()
                                    ? cache.key->args[0]
                                    : "$scheme$proxy_host$request_uri";
        warn(*cache.zone, shown(*cache.zone) + " is in force in " + level.name +
                              ", which has a gate, "
                              "with the key \"" +
                              key +
                              "\": one caller's answer is served to others; add $gate_subject or "
                              "$gate_token_id to \"" +
                              module + "_key\", or write \"" + module + " off;\" there");
    }

    bool holds_identity(const Node& node, const Level& level) const {
        return std::any_of(node.args.begin(), node.args.end(),
                           [&](const std::string& arg) { return identity_.in(arg, level); });
    }

    IdentityVariables identity_;
    std::vector<Warning> warnings_;
};

}  // namespace

std::vector<Warning> check(const std::string& main_file, const Files& files) {
    const std::optional<std::vector<Node>> tree = read_tree(main_file, files);
    if (!tree) return {};
    Checker checker(*tree);
    for (const Node& node : *tree) {
        if (node.name == "http" && node.block) checker.check_block(enter({}, node), node, false);
    }
    return checker.take();
}

}  // namespace gate::conftext
