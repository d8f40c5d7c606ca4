#include "redis/store_keys.h"

#include <algorithm>

namespace gate::redis {

namespace {

constexpr std::size_t kMaxPrefix = 128;

// Whether the part of a key that says its slot stands in the prefix (cluster-spec, "Hash tags"):
// only the first '{' counts.
bool has_hash_tag(std::string_view prefix) noexcept {
    const std::size_t open = prefix.find('{');
    if (open == prefix.npos) return false;
    const std::size_t close = prefix.find('}', open);
    return close != prefix.npos && close > open + 1;
}

}  // namespace

std::string prefix_problem(std::string_view prefix, bool cluster) {
    if (prefix.size() > kMaxPrefix) {
        return "a prefix has at most " + std::to_string(kMaxPrefix) + " octets";
    }
    if (!std::ranges::all_of(prefix, [](char c) { return c > ' ' && c <= '~'; })) {
        return "a prefix holds printable ASCII without blanks only";
    }
    if (cluster && !has_hash_tag(prefix)) {
        return "in a cluster a prefix needs a hash tag such as \"{gate}:\", so that all keys of "
               "the store lie in one slot";
    }
    return {};
}

}  // namespace gate::redis
