// What is in force at one level of nginx.conf (http, server, location, limit_except, if) of the
// directives that the warnings look at: each inherits as nginx and the gate let it inherit.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "conftext/tree.h"

namespace gate::conftext {

enum class GateState { kUnset, kOn, kOff };

// The upstream modules that can store answers.
inline constexpr std::array<std::string_view, 4> kCachingModules = {"proxy", "fastcgi", "uwsgi",
                                                                    "scgi"};

// The cache of one of them; pointers into the tree, null where nothing is written.
struct Cache {
    const Node* zone = nullptr;      // proxy_cache
    const Node* key = nullptr;       // proxy_cache_key
    const Node* no_cache = nullptr;  // proxy_no_cache
    bool on() const;
};

struct Level {
    std::string name;  // "http", "server", "location /x", "if in server"
    GateState gate = GateState::kUnset;
    const Node* gate_line = nullptr;
    bool strip = true;
    bool restricted = false;  // not for everyone: addresses, passwords, a subrequest's verdict
    std::vector<const Node*> jwt_sources;
    std::vector<const Node*> key_sources;
    std::array<Cache, kCachingModules.size()> caches;

    // The first source in force that takes the credential from a query argument.
    const Node* query_source() const;
};

// The level of `block` inside `parent`: what it says itself, over what it inherits.
Level enter(const Level& parent, const Node& block);

bool opens_level(const Node& node);

}  // namespace gate::conftext
