// Whether a value in nginx.conf, such as a cache key, tells one caller from another.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "conftext/level.h"
#include "conftext/tree.h"

namespace gate::conftext {

// Names of the variables in a value: "$a" and "${b}", in lower case.
std::vector<std::string> variables_in(std::string_view value);

class IdentityVariables {
public:
    // Learns from the whole configuration what map, set and gate_claim make of other variables.
    explicit IdentityVariables(const std::vector<Node>& tree) { learn(tree); }

    // Whether a variable in `value` depends on the caller's identity at this level. Variables that
    // hold the credential itself count only where gate_strip is off: elsewhere they are empty by
    // the time the value is evaluated.
    bool in(std::string_view value, const Level& level) const;

private:
    struct Definition {
        std::string name;
        std::string from;  // the text that it is made of; of gate_claim: "$gate_claim_"
    };
    void learn(const std::vector<Node>& nodes);
    bool is_identity(const std::string& name, const Level& level, unsigned depth) const;
    std::vector<Definition> definitions_;
};

}  // namespace gate::conftext
