// How a parsed JSON text lies in memory: one arena for the nodes, the children of a container side
// by side, and one copy of the text in which strings were unescaped in place. Nothing is shared or
// freed one by one, so parsing a token's claims costs about as much as copying them.
#pragma once

#include <cstdint>
#include <memory>
#include <memory_resource>
#include <string>
#include <string_view>

#include "jose/json.h"

namespace gate::jose {

struct JsonNode {
    Value::Kind kind;
    std::uint32_t size;  // octets of a string, elements of an array, members of an object
    union {
        const char* text;
        const JsonNode* children;  // of an object: name, value, name, value, ..
        std::int64_t integer;
        double real;
        bool boolean;
    };

    std::string_view string() const noexcept { return {text, size}; }
};

struct JsonTree {
    std::unique_ptr<char[]> text;
    std::pmr::monotonic_buffer_resource arena{1024};
    JsonNode root;
};

// Fills `tree` from a JSON object with nothing but blanks around it; kNone when it is good.
Reason parse_json(std::string_view text, const JsonLimits& limits, JsonTree& tree);

// Appends compact JSON text.
void dump_json(const JsonNode& node, std::string& out);

}  // namespace gate::jose
